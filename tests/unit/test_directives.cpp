// SPDX-License-Identifier: Apache-2.0
// Every directive: good values, a bad value with its exact message, inheritance. A directive without a case fails.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "config_reader.hpp"

namespace tls::config::testing {
namespace {

struct Case {
  Place place;
  const char* good;   // nothing: every value is refused
  const char* other;  // another good one
  const char* bad;    // nothing: every value is accepted
  const char* error;  // what is said of it, to the letter
};

const Case cases[] = {
    Case{Place::Server, "TLSEngine 443", "TLSEngine 192.0.2.1:8443 [2001:db8::1]:443", "TLSEngine 443x",
         "TLSEngine: expected [address:]port in numbers, such as 443, 192.0.2.1:443 or [2001:db8::1]:443, not "
         "\"443x\""},
    Case{Place::VirtualHost, "TLSEngine on", "TLSEngine off", "TLSEngine 443",
         "TLSEngine: ports are listed outside of virtual hosts, for the whole server; here write \"TLSEngine on\" or "
         "off"},
    Case{Place::Server, "TLSCertificate a.pem", "TLSCertificate a.pem b.key", "TLSCertificate pkcs11:token=x",
         "TLSCertificate: pkcs11: URIs are not supported; name a PEM file instead"},
    Case{Place::Server, "TLSProtocol TLSv1.3+", "TLSProtocol default", "TLSProtocol TLSv1.4+",
         "TLSProtocol: expected default, TLSv1.2+ or TLSv1.3+, not \"TLSv1.4+\"; did you mean \"TLSv1.2+\"?"},
    Case{Place::Server, "TLSCiphersPrefer TLS_AES_256_GCM_SHA384",
         "TLSCiphersPrefer ECDHE-RSA-AES128-GCM-SHA256:0xC02B", "TLSCiphersPrefer ECDHE-RSA-AES129-GCM-SHA256",
         "TLSCiphersPrefer: unknown cipher suite \"ECDHE-RSA-AES129-GCM-SHA256\"; did you mean "
         "\"ECDHE-RSA-AES128-GCM-SHA256\"?"},
    Case{Place::Server, "TLSCiphersSuppress TLS_CHACHA20_POLY1305_SHA256",
         "TLSCiphersSuppress ECDHE-RSA-AES128-GCM-SHA256", "TLSCiphersSuppress FOO",
         "TLSCiphersSuppress: unknown cipher suite \"FOO\""},
    Case{Place::Server, "TLSGroups X25519", "TLSGroups P-256 X25519", "TLSGroups X25518",
         "TLSGroups: unknown group \"X25518\"; did you mean \"X25519\"?"},
    Case{Place::Server, "TLSSignatureAlgorithms ecdsa_secp256r1_sha256:RSA-PSS+SHA256",
         "TLSSignatureAlgorithms ed25519", "TLSSignatureAlgorithms ecdsa_secp256r1_sha265",
         "TLSSignatureAlgorithms: unknown signature algorithm \"ecdsa_secp256r1_sha265\"; did you mean "
         "\"ecdsa_secp256r1_sha256\"?"},
    Case{Place::Server, "TLSClientSignatureAlgorithms ECDSA+SHA256", "TLSClientSignatureAlgorithms default",
         "TLSClientSignatureAlgorithms RSA+SHA1",
         "TLSClientSignatureAlgorithms: none of the signature algorithms in \"RSA+SHA1\" exists here; there are ECDSA, "
         "RSA-PSS and RSA with SHA256, SHA384 and SHA512, ed25519, rsa_pss_pss_sha256 (-384, "
         "-512), mldsa44, mldsa65 and mldsa87"},
    Case{Place::Server, "TLSHonorClientOrder on", "TLSHonorClientOrder off", "TLSHonorClientOrder yes",
         "TLSHonorClientOrder: expected on or off, not \"yes\""},
    Case{Place::Server, "TLSKeyLogFile /var/log/keys.log", "TLSKeyLogFile off", "TLSKeyLogFile \"\"",
         "TLSKeyLogFile: the name of the file is empty"},
    Case{Place::Server, "TLSHandshakeRate address:20 server:2000", "TLSHandshakeRate off", "TLSHandshakeRate adress:20",
         "TLSHandshakeRate: expected address:number, child:number, server:number or off, not \"adress:20\""},
    Case{Place::Server, "TLSHandshakesUnderWay child:100 address:16", "TLSHandshakesUnderWay server:400",
         "TLSHandshakesUnderWay address:0",
         "TLSHandshakesUnderWay: expected a whole number from 1 to 1000000 after \"address:\", not \"address:0\""},
    Case{Place::Server, "TLSStrictSNI on", "TLSStrictSNI off", "TLSStrictSNI of",
         "TLSStrictSNI: expected on or off, not \"of\"; did you mean \"off\"?"},
    Case{Place::Server, "TLSHandshakeTimeout 5", "TLSHandshakeTimeout 500ms", "TLSHandshakeTimeout 0",
         "TLSHandshakeTimeout: expected a time from 1 to 3600 seconds, such as \"20\" or \"20s\", not \"0\""},
    Case{Place::Server, "TLSSessionTickets on", "TLSSessionTickets off", "TLSSessionTickets maybe",
         "TLSSessionTickets: expected on, off or file:path, not \"maybe\""},
    Case{Place::Server, "TLSSessionTicketCount 0", "TLSSessionTicketCount 8", "TLSSessionTicketCount 9",
         "TLSSessionTicketCount: expected a whole number from 0 to 8, not \"9\""},
    Case{Place::Server, "TLSSessionLifetime 1h", "TLSSessionLifetime 1h 10min", "TLSSessionLifetime forever",
         "TLSSessionLifetime: expected a time from 1 to 604800 seconds, such as \"12h\", not \"forever\""},
    Case{Place::Server, "TLSSessionCache shmcb:x(512000)", "TLSSessionCache none", "TLSSessionCache :x",
         "TLSSessionCache: expected none, shmcb, redis, memcache, dbm or dc, not \"\""},
    Case{Place::Server, "TLSStapling on", "TLSStapling off", "TLSStapling no",
         "TLSStapling: expected on or off, not \"no\""},
    Case{Place::Server, "TLSFallback self-signed", "TLSFallback 503", "TLSFallback 404",
         "TLSFallback: expected self-signed, 503 or off, not \"404\""},
    Case{Place::Server, "TLSCertCompression on", "TLSCertCompression off", "TLSCertCompression brotli",
         "TLSCertCompression: expected on or off, not \"brotli\""},
    Case{Place::Server, "TLSKeyIsolation on", "TLSKeyIsolation off", "TLSKeyIsolation yes",
         "TLSKeyIsolation: expected on or off, not \"yes\""},
    Case{Place::Server, "TLSMetrics totals", "TLSMetrics hosts", "TLSMetrics on",
         "TLSMetrics: expected totals or hosts, not \"on\""},
    Case{Place::Server, "TLSReload 10", "TLSReload 1min all", "TLSReload 0",
         "TLSReload: expected off or a time from 1 second to a day, such as \"10\" or \"1min\", not \"0\""},
    Case{Place::Server, "TLSECH public.example", "TLSECH A-1.example keys/ech", "TLSECH 192.0.2.1",
         "TLSECH: expected the name of a host that clients may be seen to visit, such as public.example, not "
         "\"192.0.2.1\""},
    Case{Place::Server, "TLSECHKeys one.ech", "TLSECHKeys one.ech keys/*.ech", "TLSECHKeys",
         "TLSECHKeys: expected \"TLSECHKeys file ...\""},
    Case{Place::Server, "TLSECHPadding 512", "TLSECHPadding off", "TLSECHPadding 20000",
         "TLSECHPadding: expected off or a number of bytes from 16 to 16384, not \"20000\""},
    Case{Place::Server, "TLSKeyPassphrase builtin", "TLSKeyPassphrase exec:/bin/x", "TLSKeyPassphrase pass",
         "TLSKeyPassphrase: expected builtin, file:path or exec:program, not \"pass\""},
    Case{Place::Server, "TLSClientCertificate optional", "TLSClientCertificate required",
         "TLSClientCertificate require_any",
         "TLSClientCertificate: expected none, optional, required or any, not \"require_any\""},
    Case{Place::Server, "TLSClientDepth 3", "TLSClientDepth 0", "TLSClientDepth a",
         "TLSClientDepth: expected a whole number from 0 to 7, not \"a\""},
    Case{Place::Server, "TLSClientCA ca.pem", "TLSClientCA /b.pem", "TLSClientCA \"\"",
         "TLSClientCA: the name of the file is empty"},
    Case{Place::Server, "TLSClientCANames ca.pem", "TLSClientCANames /b.pem", "TLSClientCANames \"\"",
         "TLSClientCANames: the name of the file is empty"},
    Case{Place::Server, "TLSClientCRL crl.pem", "TLSClientCRL /b.pem auto allow http://a.test/b.crl",
         "TLSClientCRL auto allow deny",
         "TLSClientCRL: expected deny, allow or an address such as http://pki.example.com/ca.crl behind auto, not "
         "\"deny\""},
    Case{Place::Server, "TLSClientRecheck on", "TLSClientRecheck off", "TLSClientRecheck x",
         "TLSClientRecheck: expected on or off, not \"x\""},
    Case{Place::Server, "TLSClientCRLCheck chain", "TLSClientCRLCheck leaf", "TLSClientCRLCheck all",
         "TLSClientCRLCheck: Invalid argument 'all'; expected none, leaf or chain"},
    Case{Place::Server, "TLSHostPolicy strict", "TLSHostPolicy authonly", "TLSHostPolicy lax",
         "TLSHostPolicy: expected strict, secure, authonly or insecure, not \"lax\""},
    Case{Place::Directory, "TLSClientCertHeader on", "TLSClientCertHeader chain", "TLSClientCertHeader all",
         "TLSClientCertHeader: expected on, chain or off, not \"all\""},
    Case{Place::Server, "TLSTrustedProxy 192.0.2.1", "TLSTrustedProxy 2001:db8::/32 10.0.0.0/8",
         "TLSTrustedProxy 10.0.0.1/8",
         "TLSTrustedProxy: expected an address or a network, such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32, not "
         "\"10.0.0.1/8\""},
    Case{Place::Server, "TLSPostQuantum require", "TLSPostQuantum prefer", "TLSPostQuantum on",
         "TLSPostQuantum: expected prefer, require or off, not \"on\""},
    Case{Place::Directory, "TLSUserName SSL_CLIENT_S_DN_CN", "TLSUserName SSL_CLIENT_S_DN", "TLSUserName a b",
         "TLSUserName: expected \"TLSUserName variable\""},
    Case{Place::Directory, "TLSClientCertificate required", "TLSClientCertificate none", "TLSClientCertificate 1",
         "TLSClientCertificate: expected none, optional, required or any, not \"1\""},
    Case{Place::Directory, "TLSOptions StdEnvVars", "TLSOptions +StdEnvVars -ExportCertData", "TLSOptions +StdEnvVar",
         "TLSOptions: expected Defaults, StdEnvVars, ExportCertData, FakeBasicAuth, StrictRequire or "
         "LegacyDNStringFormat, not \"StdEnvVar\"; did you mean \"StdEnvVars\"?"},
    Case{Place::Server, "TLSProxyEngine on", "TLSProxyEngine off", "TLSProxyEngine x",
         "TLSProxyEngine: expected on or off, not \"x\""},
    Case{Place::Server, "TLSProxyProtocol TLSv1.3+", "TLSProxyProtocol default", "TLSProxyProtocol TLSv1.4+",
         "TLSProxyProtocol: expected default, TLSv1.2+ or TLSv1.3+, not \"TLSv1.4+\"; did you mean \"TLSv1.2+\"?"},
    Case{Place::Server, "TLSProxyCiphersPrefer TLS_AES_256_GCM_SHA384", "TLSProxyCiphersPrefer 0xC02B",
         "TLSProxyCiphersPrefer FOO", "TLSProxyCiphersPrefer: unknown cipher suite \"FOO\""},
    Case{Place::Server, "TLSProxyCiphersSuppress TLS_AES_256_GCM_SHA384", "TLSProxyCiphersSuppress 0xC02B",
         "TLSProxyCiphersSuppress FOO", "TLSProxyCiphersSuppress: unknown cipher suite \"FOO\""},
    Case{Place::Server, "TLSProxyPostQuantum require", "TLSProxyPostQuantum off", "TLSProxyPostQuantum prefered",
         "TLSProxyPostQuantum: expected prefer, require or off, not \"prefered\"; did you mean \"prefer\"?"},
    Case{Place::Server, "TLSProxyGroups X25519", "TLSProxyGroups P-256 X25519", "TLSProxyGroups FOO",
         "TLSProxyGroups: unknown group \"FOO\""},
    Case{Place::Server, "TLSProxyCA default", "TLSProxyCA /b.pem", "TLSProxyCA \"\"",
         "TLSProxyCA: the name of the file is empty"},
    Case{Place::Server, "TLSProxyCRL crl.pem", "TLSProxyCRL /b.pem", "TLSProxyCRL \"\"",
         "TLSProxyCRL: the name of the file is empty"},
    Case{Place::Server, "TLSProxyMachineCertificate a.pem", "TLSProxyMachineCertificate /a.pem b.key",
         "TLSProxyMachineCertificate a b c",
         "TLSProxyMachineCertificate: expected \"TLSProxyMachineCertificate file [keyfile]\""},
    Case{Place::Server, "TLSProxyVerify none", "TLSProxyVerify require", "TLSProxyVerify maybe",
         "TLSProxyVerify: expected require or none, not \"maybe\""},
    Case{Place::Server, "TLSProxyVerifyDepth 3", "TLSProxyVerifyDepth 0", "TLSProxyVerifyDepth a",
         "TLSProxyVerifyDepth: expected a whole number from 0 to 6, not \"a\""},
    Case{Place::Server, "TLSProxyVerifyName on", "TLSProxyVerifyName off", "TLSProxyVerifyName x",
         "TLSProxyVerifyName: expected on or off, not \"x\""},
    Case{Place::Server, "SSLEngine on", "SSLEngine off", "SSLEngine optional",
         "SSLEngine: 'SSLEngine optional' is no longer supported; write on or off"},
    Case{Place::Server, "SSLCertificateFile a.pem", "SSLCertificateFile /b.pem", "SSLCertificateFile pkcs11:token=x",
         "SSLCertificateFile: pkcs11: URIs are not supported; name a PEM file instead"},
    Case{Place::Server, "SSLCertificateKeyFile a.pem", "SSLCertificateKeyFile /b.pem", "SSLCertificateKeyFile \"\"",
         "SSLCertificateKeyFile: the name of the file is empty"},
    Case{Place::Server, "SSLCertificateChainFile a.pem", "SSLCertificateChainFile /b.pem",
         "SSLCertificateChainFile \"\"", "SSLCertificateChainFile: the name of the file is empty"},
    Case{Place::Server, "SSLPassPhraseDialog builtin", "SSLPassPhraseDialog exec:/bin/x", "SSLPassPhraseDialog foo",
         "SSLPassPhraseDialog: Invalid argument 'foo'; expected builtin, |/path/to/program or exec:/path/to/program"},
    Case{Place::Server, "SSLCipherSuite HIGH:!aNULL", "SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256",
         "SSLCipherSuite RC4-SHA",
         "SSLCipherSuite: no suite is left of \"RC4-SHA\"; there are "
         "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-"
         "POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"},
    Case{Place::Server, "SSLHonorCipherOrder on", "SSLHonorCipherOrder off", "SSLHonorCipherOrder maybe",
         "SSLHonorCipherOrder: expected on or off, not \"maybe\""},
    Case{Place::Server, "SSLProtocol all -SSLv3", "SSLProtocol -all +TLSv1.3", "SSLProtocol TLSv1.5",
         "SSLProtocol: Illegal protocol 'TLSv1.5'; there are all, TLSv1.2 and TLSv1.3, divided by spaces, each with + "
         "or - "
         "before it or without"},
    Case{Place::Server, "SSLVHostSNIPolicy strict", "SSLVHostSNIPolicy insecure", "SSLVHostSNIPolicy secur",
         "SSLVHostSNIPolicy: expected strict, secure, authonly or insecure, not \"secur\"; did you mean \"secure\"?"},
    Case{Place::Server, "SSLECHKeyDir keys/ech", "SSLECHKeyDir /etc/ech", "SSLECHKeyDir a b",
         "SSLECHKeyDir: expected \"SSLECHKeyDir directory\""},
    Case{Place::Server, "SSLStrictSNIVHostCheck on", "SSLStrictSNIVHostCheck off", "SSLStrictSNIVHostCheck 1",
         "SSLStrictSNIVHostCheck: expected on or off, not \"1\""},
    Case{Place::Server, "SSLOpenSSLConfCmd MinProtocol TLSv1.3", "SSLOpenSSLConfCmd MinProtocol TLSv1.2",
         "SSLOpenSSLConfCmd VerifyMode Require",
         "SSLOpenSSLConfCmd: the command \"VerifyMode\" is not supported; use SSLVerifyClient"},
    Case{Place::Server, "SSLCompression off", "SSLCompression on", "SSLCompression deflate",
         "SSLCompression: expected on or off, not \"deflate\""},
    Case{Place::Server, "SSLInsecureRenegotiation off", "SSLInsecureRenegotiation on", "SSLInsecureRenegotiation x",
         "SSLInsecureRenegotiation: expected on or off, not \"x\""},
    Case{Place::Server, "SSLRandomSeed startup builtin", "SSLRandomSeed connect file:/dev/urandom 512",
         "SSLRandomSeed never builtin", "SSLRandomSeed: Invalid context: must be 'startup' or 'connect'"},
    Case{Place::Server, "SSLCryptoDevice builtin", "SSLCryptoDevice BUILTIN", "SSLCryptoDevice pkcs11",
         "SSLCryptoDevice: engines are not supported; write \"SSLCryptoDevice builtin\" and name keys as PEM files"},
    Case{Place::Server, "SSLFIPS off", "SSLFIPS OFF", "SSLFIPS on",
         "SSLFIPS: this build has no FIPS-validated cryptography; write off, or run a build with it"},
    Case{Place::Server, "", "", "SSLSRPVerifierFile x",
         "SSLSRPVerifierFile: TLS-SRP is not supported; use client certificates (SSLVerifyClient) or a login over TLS "
         "instead"},
    Case{Place::Server, "", "", "SSLSRPUnknownUserSeed x",
         "SSLSRPUnknownUserSeed: TLS-SRP is not supported; use client certificates (SSLVerifyClient) or a login over "
         "TLS instead"},
    Case{Place::Server, "SSLLog logs/ssl", "SSLLog x", "", ""},
    Case{Place::Server, "SSLLogLevel info", "SSLLogLevel x", "", ""},
    Case{Place::Server, "SSLVerifyClient require", "SSLVerifyClient optional_no_ca", "SSLVerifyClient 0",
         "SSLVerifyClient: Invalid argument '0'; expected none, optional, require or optional_no_ca"},
    Case{Place::Server, "SSLVerifyDepth 3", "SSLVerifyDepth 0", "SSLVerifyDepth a",
         "SSLVerifyDepth: expected a whole number from 0 to 100, not \"a\""},
    Case{Place::Server, "SSLCACertificateFile ca.pem", "SSLCACertificateFile /b.pem", "SSLCACertificateFile \"\"",
         "SSLCACertificateFile: the name of the file is empty"},
    Case{Place::Server, "SSLCACertificatePath ca", "SSLCACertificatePath /b", "SSLCACertificatePath \"\"",
         "SSLCACertificatePath: the name of the file is empty"},
    Case{Place::Server, "SSLCADNRequestFile ca.pem", "SSLCADNRequestFile /b.pem", "SSLCADNRequestFile \"\"",
         "SSLCADNRequestFile: the name of the file is empty"},
    Case{Place::Server, "SSLCADNRequestPath ca", "SSLCADNRequestPath /b", "SSLCADNRequestPath \"\"",
         "SSLCADNRequestPath: the name of the file is empty"},
    Case{Place::Server, "SSLCARevocationFile crl.pem", "SSLCARevocationFile /b.pem", "SSLCARevocationFile \"\"",
         "SSLCARevocationFile: the name of the file is empty"},
    Case{Place::Server, "SSLCARevocationPath crl", "SSLCARevocationPath /b", "SSLCARevocationPath \"\"",
         "SSLCARevocationPath: the name of the file is empty"},
    Case{Place::Server, "SSLCARevocationCheck chain", "SSLCARevocationCheck leaf no_crl_for_cert_ok",
         "SSLCARevocationCheck none no_crl_for_cert_ok",
         "SSLCARevocationCheck: Invalid argument 'no_crl_for_cert_ok'; after leaf or chain may stand "
         "no_crl_for_cert_ok"},
    Case{Place::Server, "SSLOCSPEnable on no_ocsp_for_cert_ok", "SSLOCSPEnable leaf soft", "SSLOCSPEnable chain",
         "SSLOCSPEnable: expected on, leaf or off, not \"chain\""},
    Case{Place::Server, "SSLOCSPDefaultResponder http://x", "SSLOCSPDefaultResponder y",
         "SSLOCSPDefaultResponder http://x z", "SSLOCSPDefaultResponder: expected \"SSLOCSPDefaultResponder url\""},
    Case{Place::Server, "SSLOCSPOverrideResponder on", "SSLOCSPOverrideResponder off", "SSLOCSPOverrideResponder 1",
         "SSLOCSPOverrideResponder: expected on or off, not \"1\""},
    Case{Place::Server, "SSLOCSPResponseTimeSkew 5", "SSLOCSPResponseTimeSkew 0", "SSLOCSPResponseTimeSkew -5",
         "SSLOCSPResponseTimeSkew: expected a whole number of seconds, not \"-5\""},
    Case{Place::Server, "SSLOCSPResponseMaxAge 5", "SSLOCSPResponseMaxAge -1", "SSLOCSPResponseMaxAge -2",
         "SSLOCSPResponseMaxAge: expected a number of seconds, or -1 for any age, not \"-2\""},
    Case{Place::Server, "SSLOCSPResponderTimeout 5", "SSLOCSPResponderTimeout 0", "SSLOCSPResponderTimeout -5",
         "SSLOCSPResponderTimeout: expected a whole number of seconds, not \"-5\""},
    Case{Place::Server, "SSLOCSPUseRequestNonce on", "SSLOCSPUseRequestNonce off", "SSLOCSPUseRequestNonce 1",
         "SSLOCSPUseRequestNonce: expected on or off, not \"1\""},
    Case{Place::Server, "SSLOCSPProxyURL http://x", "SSLOCSPProxyURL y", "SSLOCSPProxyURL http://x z",
         "SSLOCSPProxyURL: expected \"SSLOCSPProxyURL url\""},
    Case{Place::Server, "SSLOCSPNoVerify on", "SSLOCSPNoVerify off", "SSLOCSPNoVerify 1",
         "SSLOCSPNoVerify: expected on or off, not \"1\""},
    Case{Place::Server, "SSLOCSPResponderCertificateFile x", "SSLOCSPResponderCertificateFile y",
         "SSLOCSPResponderCertificateFile \"\"", "SSLOCSPResponderCertificateFile: the name of the file is empty"},
    Case{Place::Server, "TLSClientOCSP chain no_ocsp_for_cert_ok", "TLSClientOCSP leaf soft", "TLSClientOCSP leaf sof",
         "TLSClientOCSP: expected no_ocsp_for_cert_ok or soft, not \"sof\"; did you mean \"soft\"?"},
    Case{Place::Server, "TLSFetchProxy http://x", "TLSFetchProxy y", "TLSFetchProxy http://x z",
         "TLSFetchProxy: expected \"TLSFetchProxy url\""},
    Case{Place::Server, "TLSFetchLocal on", "TLSFetchLocal off", "TLSFetchLocal 1",
         "TLSFetchLocal: expected on or off, not \"1\""},
    Case{Place::Server, "SSLSessionCache shmcb:/x(512000)", "SSLSessionCache none", "SSLSessionCache :x",
         "SSLSessionCache: Invalid argument ':x'; expected none or provider:arguments"},
    Case{Place::Server, "SSLSessionCacheTimeout 60", "SSLSessionCacheTimeout 600", "SSLSessionCacheTimeout 1h",
         "SSLSessionCacheTimeout: expected a whole number from 0 to 2147483647, not \"1h\""},
    Case{Place::Server, "SSLSessionTickets off", "SSLSessionTickets on", "SSLSessionTickets file",
         "SSLSessionTickets: expected on or off, not \"file\""},
    Case{Place::Server, "SSLSessionTicketKeyFile k", "SSLSessionTicketKeyFile /l", "SSLSessionTicketKeyFile \"\"",
         "SSLSessionTicketKeyFile: the name of the file is empty"},
    Case{Place::Server, "SSLStaplingCache shmcb:/a(32768)", "SSLStaplingCache dbm:b", "SSLStaplingCache :b",
         "SSLStaplingCache: Invalid argument ':b'; expected none or provider:arguments"},
    Case{Place::Server, "SSLUseStapling on", "SSLUseStapling off", "SSLUseStapling 1",
         "SSLUseStapling: expected on or off, not \"1\""},
    Case{Place::Server, "SSLStaplingResponseTimeSkew 5", "SSLStaplingResponseTimeSkew 0",
         "SSLStaplingResponseTimeSkew -5",
         "SSLStaplingResponseTimeSkew: expected a whole number of seconds, not \"-5\""},
    Case{Place::Server, "SSLStaplingResponderTimeout 5", "SSLStaplingResponderTimeout 0",
         "SSLStaplingResponderTimeout -5",
         "SSLStaplingResponderTimeout: expected a whole number of seconds, not \"-5\""},
    Case{Place::Server, "SSLStaplingStandardCacheTimeout 5", "SSLStaplingStandardCacheTimeout 0",
         "SSLStaplingStandardCacheTimeout -5",
         "SSLStaplingStandardCacheTimeout: expected a whole number of seconds, not \"-5\""},
    Case{Place::Server, "SSLStaplingErrorCacheTimeout 5", "SSLStaplingErrorCacheTimeout 0",
         "SSLStaplingErrorCacheTimeout -5",
         "SSLStaplingErrorCacheTimeout: expected a whole number of seconds, not \"-5\""},
    Case{Place::Server, "SSLStaplingResponseMaxAge 5", "SSLStaplingResponseMaxAge -1", "SSLStaplingResponseMaxAge -2",
         "SSLStaplingResponseMaxAge: expected a number of seconds, or -1 for any age, not \"-2\""},
    Case{Place::Server, "SSLStaplingReturnResponderErrors on", "SSLStaplingReturnResponderErrors off",
         "SSLStaplingReturnResponderErrors 1", "SSLStaplingReturnResponderErrors: expected on or off, not \"1\""},
    Case{Place::Server, "SSLStaplingFakeTryLater on", "SSLStaplingFakeTryLater off", "SSLStaplingFakeTryLater 1",
         "SSLStaplingFakeTryLater: expected on or off, not \"1\""},
    Case{Place::Server, "SSLStaplingForceURL http://x", "SSLStaplingForceURL y", "SSLStaplingForceURL http://x z",
         "SSLStaplingForceURL: expected \"SSLStaplingForceURL url\""},
    Case{Place::Directory, "SSLOptions +StdEnvVars", "SSLOptions StrictRequire", "SSLOptions +CompatEnvVars",
         "SSLOptions: Illegal option 'CompatEnvVars'; expected StdEnvVars, ExportCertData, FakeBasicAuth, "
         "StrictRequire, LegacyDNStringFormat or OptRenegotiate, not \"CompatEnvVars\""},
    Case{Place::Directory, "SSLRequireSSL", "SSLRequireSSL on", "", ""},
    Case{Place::Directory, "SSLRequire \"%{HTTPS} eq 'on'\"", "SSLRequire true", "", ""},
    Case{Place::Directory, "SSLClientCertHeader on", "SSLClientCertHeader chain", "SSLClientCertHeader all",
         "SSLClientCertHeader: expected on, chain or off, not \"all\""},
    Case{Place::Server, "SSLTrustedProxy 192.0.2.1", "SSLTrustedProxy 2001:db8::/32 10.0.0.0/8", "SSLTrustedProxy ::/0",
         "SSLTrustedProxy: \"::/0\" would take everybody's word about clients; name the addresses of your proxies"},
    Case{Place::Server, "SSLPostQuantum require", "SSLPostQuantum prefer", "SSLPostQuantum on",
         "SSLPostQuantum: expected prefer, require or off, not \"on\""},
    Case{Place::Server, "SSLProxyPostQuantum require", "SSLProxyPostQuantum off", "SSLProxyPostQuantum on",
         "SSLProxyPostQuantum: expected prefer, require or off, not \"on\""},
    Case{Place::Directory, "SSLUserName SSL_CLIENT_S_DN_CN", "SSLUserName SSL_CLIENT_S_DN", "SSLUserName a b",
         "SSLUserName: expected \"SSLUserName variable\""},
    Case{Place::Directory, "SSLVerifyClient require", "SSLVerifyClient none", "SSLVerifyClient 1",
         "SSLVerifyClient: Invalid argument '1'; expected none, optional, require or optional_no_ca"},
    Case{Place::Directory, "SSLVerifyDepth 3", "SSLVerifyDepth 0", "SSLVerifyDepth -1",
         "SSLVerifyDepth: expected a whole number from 0 to 100, not \"-1\""},
    Case{Place::Directory, "SSLCACertificateFile ca.pem", "SSLCACertificateFile /b.pem", "SSLCACertificateFile \"\"",
         "SSLCACertificateFile: the name of the file is empty"},
    Case{Place::Directory, "SSLCACertificatePath ca", "SSLCACertificatePath /b", "SSLCACertificatePath \"\"",
         "SSLCACertificatePath: the name of the file is empty"},
    Case{Place::Directory, "SSLCipherSuite HIGH", "SSLCipherSuite AES128", "SSLCipherSuite TLSv1.2 HIGH",
         "SSLCipherSuite: protocol 'TLSv1.2' not supported"},
    Case{Place::Directory, "SSLRenegBufferSize 131072", "SSLRenegBufferSize 0", "SSLRenegBufferSize much",
         "SSLRenegBufferSize: expected a number of bytes, not \"much\""},
    Case{Place::Server, "SSLProxyEngine on", "SSLProxyEngine off", "SSLProxyEngine optional",
         "SSLProxyEngine: expected on or off, not \"optional\""},
    Case{Place::Server, "SSLProxyProtocol all -SSLv3", "SSLProxyProtocol TLSv1.3", "SSLProxyProtocol +TLSv1.1",
         "SSLProxyProtocol: asks for TLSv1.1 only; here there are TLSv1.2 and TLSv1.3, add one of them"},
    Case{Place::Server, "SSLProxyCipherSuite HIGH", "SSLProxyCipherSuite AES128", "SSLProxyCipherSuite @FOO",
         "SSLProxyCipherSuite: unknown command \"@FOO\"; there are @STRENGTH and @SECLEVEL=0 to 5"},
    Case{Place::Server, "SSLProxyVerify require", "SSLProxyVerify none", "SSLProxyVerify yes",
         "SSLProxyVerify: Invalid argument 'yes'; expected none, optional, require or optional_no_ca"},
    Case{Place::Server, "SSLProxyVerifyDepth 3", "SSLProxyVerifyDepth 0", "SSLProxyVerifyDepth 101",
         "SSLProxyVerifyDepth: expected a whole number from 0 to 100, not \"101\""},
    Case{Place::Server, "SSLProxyCACertificateFile a", "SSLProxyCACertificateFile /b", "SSLProxyCACertificateFile \"\"",
         "SSLProxyCACertificateFile: the name of the file is empty"},
    Case{Place::Server, "SSLProxyCACertificatePath a", "SSLProxyCACertificatePath /b", "SSLProxyCACertificatePath \"\"",
         "SSLProxyCACertificatePath: the name of the file is empty"},
    Case{Place::Server, "SSLProxyCARevocationFile a", "SSLProxyCARevocationFile /b", "SSLProxyCARevocationFile \"\"",
         "SSLProxyCARevocationFile: the name of the file is empty"},
    Case{Place::Server, "SSLProxyCARevocationPath a", "SSLProxyCARevocationPath /b", "SSLProxyCARevocationPath \"\"",
         "SSLProxyCARevocationPath: the name of the file is empty"},
    Case{Place::Server, "SSLProxyMachineCertificateFile a", "SSLProxyMachineCertificateFile /b",
         "SSLProxyMachineCertificateFile \"\"", "SSLProxyMachineCertificateFile: the name of the file is empty"},
    Case{Place::Server, "SSLProxyMachineCertificatePath a", "SSLProxyMachineCertificatePath /b",
         "SSLProxyMachineCertificatePath \"\"", "SSLProxyMachineCertificatePath: the name of the file is empty"},
    Case{Place::Server, "SSLProxyMachineCertificateChainFile a", "SSLProxyMachineCertificateChainFile /b",
         "SSLProxyMachineCertificateChainFile \"\"",
         "SSLProxyMachineCertificateChainFile: the name of the file is empty"},
    Case{Place::Server, "SSLProxyCARevocationCheck chain", "SSLProxyCARevocationCheck leaf",
         "SSLProxyCARevocationCheck all",
         "SSLProxyCARevocationCheck: Invalid argument 'all'; expected none, leaf or chain"},
    Case{Place::Server, "SSLProxyCheckPeerExpire on", "SSLProxyCheckPeerExpire off", "SSLProxyCheckPeerExpire x",
         "SSLProxyCheckPeerExpire: expected on or off, not \"x\""},
    Case{Place::Server, "SSLProxyCheckPeerName on", "SSLProxyCheckPeerName off", "SSLProxyCheckPeerName x",
         "SSLProxyCheckPeerName: expected on or off, not \"x\""},
    Case{Place::Server, "SSLProxyCheckPeerCN on", "SSLProxyCheckPeerCN off", "SSLProxyCheckPeerCN x",
         "SSLProxyCheckPeerCN: expected on or off, not \"x\""},
};

std::string name_of(const Case& c) { return words_of(*c.good != '\0' ? c.good : c.bad)[0]; }

bool same(const Scope& a, const Scope& b) {
  // Settings are pointers to values that never change.
  return std::memcmp(&a.server, &b.server, sizeof a.server) == 0 &&
         std::memcmp(&a.directory, &b.directory, sizeof a.directory) == 0 &&
         std::memcmp(&a.proxy, &b.proxy, sizeof a.proxy) == 0;
}

template <class S, std::size_t N>
void add_names(std::set<std::string>& names, const std::array<Row<S>, N>& rows) {
  for (const Row<S>& row : rows) names.insert(row.name);
}

TEST(Directives, EachHasACase) {
  std::set<std::string> names;
  add_names(names, all_server_rows);
  add_names(names, all_directory_rows);
  add_names(names, all_proxy_rows);
  for (const Case& c : cases) names.erase(name_of(c));
  for (const std::string& name : names) ADD_FAILURE() << name << " has no case";
}

TEST(Directives, GoodValuesAreTaken) {
  for (const Case& c : cases) {
    for (const char* line : {c.good, c.other}) {
      if (*line == '\0') continue;
      HeapArena arena;
      Scope scope;
      EXPECT_EQ(read_line(scope, arena, line, c.place).error, "") << line;
    }
  }
}

TEST(Directives, BadValuesAreRefusedInSoManyWords) {
  for (const Case& c : cases) {
    if (*c.bad == '\0') continue;
    HeapArena arena;
    Scope scope;
    EXPECT_EQ(read_line(scope, arena, c.bad, c.place).error, c.error) << c.bad;
    EXPECT_TRUE(same(scope, Scope{})) << c.bad << " was refused and yet set";
  }
}

TEST(Directives, TooManyWordsAreRefused) {
  for (const Case& c : cases) {
    if (*c.good == '\0' || std::string_view(c.good).find("SSLLog") == 0) continue;
    std::string line = c.good;
    for (int i = 0; i < 63; ++i) line += " x";
    HeapArena arena;
    Scope scope;
    EXPECT_NE(read_line(scope, arena, line, c.place).error, "") << line;
  }
}

// Base server -> virtual host -> virtual host: what is not written is inherited, and neighbours do not see each other.
TEST(Directives, AreInheritedFromTheBaseServer) {
  for (const Case& c : cases) {
    if (*c.good == '\0') continue;
    HeapArena arena;
    Scope base;
    Scope own;
    read_line(base, arena, c.good, c.place);
    read_line(own, arena, c.other, c.place);
    EXPECT_TRUE(same(merged_scopes(arena, base, Scope{}), base)) << c.good << " is not inherited";
    EXPECT_TRUE(same(merged_scopes(arena, Scope{}, own), own)) << c.other << " is lost where the base has none";
    const Scope both = merged_scopes(arena, base, own);
    const Scope inner = merged_scopes(arena, both, Scope{});
    EXPECT_TRUE(same(inner, both)) << c.other;
  }
}

TEST(Directives, OwnValuesReplaceInheritedOnes) {
  HeapArena arena;
  Scope base;
  Scope a;
  Scope b;
  read_line(base, arena, "TLSStrictSNI off");
  read_line(b, arena, "TLSStrictSNI on");
  EXPECT_FALSE(*merged_scopes(arena, base, a).server.strict_sni);
  EXPECT_TRUE(*merged_scopes(arena, base, b).server.strict_sni);
  EXPECT_FALSE(*merged_scopes(arena, base, a).server.strict_sni);
}

TEST(Directives, OptionsAddUpFromOutsideInwards) {
  HeapArena arena;
  Scope outer;
  Scope inner;
  Scope bare;
  read_line(outer, arena, "SSLOptions +StdEnvVars +ExportCertData");
  read_line(inner, arena, "SSLOptions -ExportCertData +StrictRequire");
  read_line(bare, arena, "SSLOptions FakeBasicAuth");
  const Options both = *merged_scopes(arena, outer, inner).directory.options;
  EXPECT_TRUE(both.has(Option::StdEnvVars));
  EXPECT_FALSE(both.has(Option::ExportCertData));
  EXPECT_TRUE(both.has(Option::StrictRequire));
  const Options alone = *merged_scopes(arena, outer, bare).directory.options;
  EXPECT_TRUE(alone.has(Option::FakeBasicAuth));
  EXPECT_FALSE(alone.has(Option::StdEnvVars)) << "a word without a sign replaces what was inherited";
}

TEST(Directives, RepeatedOnesAddUpInTheirScope) {
  HeapArena arena;
  Scope scope;
  read_line(scope, arena, "TLSCertificate rsa.pem");
  read_line(scope, arena, "TLSCertificate ec.pem ec.key");
  read_line(scope, arena, "TLSEngine 443");
  read_line(scope, arena, "TLSEngine 8443");
  ASSERT_EQ(scope.server.certificates->size(), 2U);
  EXPECT_EQ((*scope.server.certificates)[0].certificate, "/etc/apache2/rsa.pem");
  EXPECT_EQ((*scope.server.certificates)[1].key, "/etc/apache2/ec.key");
  EXPECT_EQ((*scope.server.certificates)[1].where.line, 7U);
  EXPECT_EQ(scope.server.listeners->size(), 2U);
}

TEST(Directives, ListenersBelongOutsideAndSwitchesInside) {
  HeapArena arena;
  Scope scope;
  EXPECT_EQ(read_line(scope, arena, "TLSEngine on").error,
            "TLSEngine: on and off belong into a virtual host; here name the ports that speak TLS, such as "
            "\"TLSEngine 443\"");
}

TEST(Directives, LinesThatAreTypedAsElsewhereAreToldHowTheyAreWrittenHere) {
  HeapArena arena;
  Scope scope;
  const auto error = [&](const std::string& line) { return read_line(scope, arena, line).error; };
  EXPECT_EQ(error("TLSProtocol TLSv1.3+ # only this"),
            "TLSProtocol: expected \"TLSProtocol default|TLSv1.2+|TLSv1.3+\"; a comment (#) needs a line of its own");
  for (const char* quotes : {"\u201cx.pem\u201d", "\u201ex.pem\u201c", "\u00abx.pem\u00bb", "\u2018x.pem\u2019"}) {
    EXPECT_EQ(error(std::string("TLSCertificate x.pem ") + quotes),
              "TLSCertificate: \"" + std::string(quotes) +
                  "\" begins with a quotation mark of a text processor or a web page, which counts as a letter here; "
                  "write plain ones (\") or none");
  }
  EXPECT_EQ(error("TLSGroups X25519,P-256"),
            "TLSGroups: unknown group \"X25519,P-256\"; names in a list are divided by colons");
  EXPECT_EQ(error("SSLOpenSSLConfCmd Curves X25519,P-256"),
            "SSLOpenSSLConfCmd: unknown group \"X25519,P-256\"; names in a list are divided by colons");
  EXPECT_EQ(error("TLSCiphersPrefer 0x1301;0x1302"),
            "TLSCiphersPrefer: unknown cipher suite \"0x1301;0x1302\"; names in a list are divided by colons");
  EXPECT_EQ(error("SSLCipherSuite TLSv1.3 ECDHE-RSA-AES128-GCM-SHA256"),
            "SSLCipherSuite: \"ECDHE-RSA-AES128-GCM-SHA256\" is a suite of TLS 1.2; list those in a line without the "
            "word TLSv1.3");
  EXPECT_EQ(error("SSLCipherSuite TLS_AES_128_GCM_SHA256"),
            "SSLCipherSuite: no suite of TLS 1.2 is left of \"TLS_AES_128_GCM_SHA256\"; write \"SSLCipherSuite TLSv1.3 "
            "TLS_AES_128_GCM_SHA256\" for suites of TLS 1.3, and SSLProtocol -TLSv1.2 where there are to be no others");
  EXPECT_EQ(error("TLSHandshakeRate off address:50"),
            "TLSHandshakeRate: off stands alone; leave it or the numbers out");
  EXPECT_EQ(error("TLSKeyLogFile on"), "TLSKeyLogFile: expected the name of a file or off, not \"on\"");
  EXPECT_EQ(read_line(scope, arena, "TLSFetchProxy proxy:3128").warning,
            "TLSFetchProxy: \"proxy:3128\" is no address that can be asked, and whatever asks there fails; write one "
            "such as http://proxy.example.com:3128/ (http alone: what is fetched is signed)");
}

TEST(Directives, WhatIsKnownIsNotSuggested) {
  constexpr std::array<std::string_view, 2> words = {"off", "oft"};
  EXPECT_EQ(nearest("off", words), "oft");
  EXPECT_EQ(nearest("Off", words), "oft");
}

TEST(Directives, WarningsAndNotices) {
  HeapArena arena;
  Scope scope;
  EXPECT_EQ(read_line(scope, arena, "TLSCiphersSuppress RC4-SHA TLS_AES_128_GCM_SHA256").warning,
            "TLSCiphersSuppress: not supported and left out: RC4-SHA");
  EXPECT_EQ(read_line(scope, arena, "TLSProtocol TLSv1.0+").warning,
            "TLSProtocol: \"TLSv1.0+\" is raised to TLSv1.2+, the lowest version there is");
  EXPECT_EQ(read_line(scope, arena, "SSLRequireSSL off", Place::Directory).warning,
            "SSLRequireSSL: \"off\" is ignored: it takes no words, and requires TLS wherever it stands");
  EXPECT_TRUE(*scope.directory.require_tls);
  EXPECT_EQ(read_line(scope, arena, "SSLProtocol all").warning, "");
  EXPECT_EQ(read_line(scope, arena, "SSLProtocol all +TLSv1").warning,
            "SSLProtocol: TLSv1 will not be spoken: the oldest version here is TLSv1.2");
  EXPECT_EQ(read_line(scope, arena, "SSLProtocol TLSv1.2 TLSv1.3").warning,
            "SSLProtocol: a version without + or - replaces those before it; what is left is TLSv1.3");
}

TEST(Directives, SignatureAlgorithmsInOpensslsWords) {
  HeapArena arena;
  Scope scope;
  const auto read = [&](const std::string& list) {
    return read_line(scope, arena, "SSLOpenSSLConfCmd SignatureAlgorithms " + list);
  };
  EXPECT_EQ(read("RSA+SHA256:ECDSA+SHA384:pss+sha512:Ed25519:RSA+SHA256").notice, "");
  EXPECT_EQ(*scope.server.signatures, (SchemeList{0x0401, 0x0503, 0x0806, 0x0807}));
  EXPECT_FALSE(scope.server.client_signatures);
  EXPECT_EQ(
      read("ed448:rsa_pss_rsae_sha256:?nonsense:RSA+SHA1").notice,
      "SSLOpenSSLConfCmd: signature algorithms left out, because they do not exist here: ed448, nonsense, RSA+SHA1");
  EXPECT_EQ(*scope.server.signatures, (SchemeList{0x0804}));
  EXPECT_EQ(read_line(scope, arena, "SSLOpenSSLConfCmd ClientSignatureAlgorithms ECDSA+SHA256").error, "");
  EXPECT_EQ(*scope.server.client_signatures, (SchemeList{0x0403}));
  EXPECT_EQ(read("RSA+SHA257").error,
            "SSLOpenSSLConfCmd: unknown signature algorithm \"RSA+SHA257\"; did you mean \"RSA+SHA256\"?");
  for (const char* none : {"RSA+SHA1:DSA+SHA256", "ed448:rsa_pkcs1_sha224", "?nonsense"}) {
    EXPECT_NE(read(none).error.find("exists here; there are ECDSA"), std::string::npos) << none;
  }
}

}  // namespace
}  // namespace tls::config::testing
