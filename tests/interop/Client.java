// SPDX-License-Identifier: Apache-2.0
import java.io.FileInputStream;
import java.net.URL;
import java.security.KeyStore;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Asks for each URL by TLS 1.2 and 1.3, with a certificate and without; prints version, what was presented, status and what
 * X-Verify says. Arguments: PKCS #12 files of trust and of the client, URLs.
 */
public class Client {
    private static final char[] WORD = "changeit".toCharArray();

    private static KeyStore store(String file) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(file)) {
            store.load(in, WORD);
        }
        return store;
    }

    public static void main(String[] arguments) throws Exception {
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store(arguments[0]));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store(arguments[1]), WORD);
        for (String version : new String[] {"TLSv1.2", "TLSv1.3"}) {
            for (KeyManager[] presented : new KeyManager[][] {keys.getKeyManagers(), null}) {
                SSLContext context = SSLContext.getInstance(version);
                context.init(presented, trust.getTrustManagers(), null);
                for (int i = 2; i < arguments.length; i++) {
                    HttpsURLConnection connection = (HttpsURLConnection) new URL(arguments[i]).openConnection();
                    connection.setSSLSocketFactory(context.getSocketFactory());
                    System.out.println(version + (presented == null ? " nothing " : " certificate ")
                                       + connection.getResponseCode() + " " + connection.getHeaderField("X-Verify"));
                }
            }
        }
    }
}
