// SPDX-License-Identifier: Apache-2.0
// Names that people write for directives which are called otherwise: those of one vocabulary with the other's
// beginning, those of other servers, and the plural for the singular.
#pragma once

#include <array>

namespace tls::config {

struct NearWord {
  const char* name;
  const char* advice;  // continues "there is no such word; "
};

// clang-format off
inline constexpr std::array tls_near_words = {
    NearWord{"TLSCACertificateFile", "write TLSClientCA"},
    NearWord{"TLSCACertificatePath", "write TLSClientCA"},
    NearWord{"TLSCADNRequestFile", "write TLSClientCANames"},
    NearWord{"TLSCADNRequestPath", "write TLSClientCANames"},
    NearWord{"TLSCARevocationCheck", "write TLSClientCRLCheck"},
    NearWord{"TLSCARevocationFile", "write TLSClientCRL"},
    NearWord{"TLSCARevocationPath", "write TLSClientCRL"},
    NearWord{"TLSCertificateChainFile", "the file of TLSCertificate holds the chain too, the server's own certificate first"},
    NearWord{"TLSCertificateFile", "write \"TLSCertificate file keyfile\""},
    NearWord{"TLSCertificateKey", "write \"TLSCertificate file keyfile\""},
    NearWord{"TLSCertificateKeyFile", "write \"TLSCertificate file keyfile\""},
    NearWord{"TLSCipherSuite", "write TLSCiphersPrefer, and TLSCiphersSuppress for those that are not wanted"},
    NearWord{"TLSCipherSuites", "write TLSCiphersPrefer, and TLSCiphersSuppress for those that are not wanted"},
    NearWord{"TLSCiphers", "write TLSCiphersPrefer, and TLSCiphersSuppress for those that are not wanted"},
    NearWord{"TLSClientVerify", "write TLSClientCertificate"},
    NearWord{"TLSCurves", "write TLSGroups"},
    NearWord{"TLSEnable", "write TLSEngine"},
    NearWord{"TLSHonorCipherOrder", "the server's order counts where TLSHonorClientOrder is off"},
    NearWord{"TLSKeyFile", "write \"TLSCertificate file keyfile\""},
    NearWord{"TLSListen", "write TLSEngine with the ports that speak TLS, beside Listen"},
    NearWord{"TLSOCSPEnable", "write TLSClientOCSP"},
    NearWord{"TLSOpenSSLConfCmd", "each command has a word of its own, such as TLSGroups and TLSSignatureAlgorithms"},
    NearWord{"TLSOption", "write TLSOptions"},
    NearWord{"TLSPassPhraseDialog", "write TLSKeyPassphrase"},
    NearWord{"TLSProtocols", "write TLSProtocol"},
    NearWord{"TLSProxyCACertificateFile", "write TLSProxyCA"},
    NearWord{"TLSProxyCACertificatePath", "write TLSProxyCA"},
    NearWord{"TLSProxyCARevocationFile", "write TLSProxyCRL"},
    NearWord{"TLSProxyCARevocationPath", "write TLSProxyCRL"},
    NearWord{"TLSProxyCheckPeerName", "write TLSProxyVerifyName"},
    NearWord{"TLSProxyCipherSuite", "write TLSProxyCiphersPrefer, and TLSProxyCiphersSuppress for those that are not wanted"},
    NearWord{"TLSProxyMachineCertificateFile", "write TLSProxyMachineCertificate"},
    NearWord{"TLSRequire", "write \"Require expr\""},
    NearWord{"TLSRequireSSL", "write \"Require ssl\""},
    NearWord{"TLSSessionCacheTimeout", "write TLSSessionLifetime"},
    NearWord{"TLSSessionTicketKeyFile", "write \"TLSSessionTickets file:path\""},
    NearWord{"TLSStaplingCache", "TLSStapling needs none, leave it out"},
    NearWord{"TLSStrictSNIVHostCheck", "write TLSStrictSNI"},
    NearWord{"TLSTrustedProxies", "write TLSTrustedProxy"},
    NearWord{"TLSUseStapling", "write TLSStapling"},
    NearWord{"TLSVerifyClient", "write TLSClientCertificate"},
    NearWord{"TLSVerifyDepth", "write TLSClientDepth"},
};

inline constexpr std::array ssl_near_words = {
    NearWord{"SSLCACertificate", "write SSLCACertificateFile"},
    NearWord{"SSLCertificate", "write SSLCertificateFile, and SSLCertificateKeyFile for its key"},
    NearWord{"SSLCertificateChain", "write SSLCertificateChainFile"},
    NearWord{"SSLCertificateKey", "write SSLCertificateKeyFile"},
    NearWord{"SSLCipherSuites", "write SSLCipherSuite"},
    NearWord{"SSLCiphers", "write SSLCipherSuite"},
    NearWord{"SSLCiphersPrefer", "write SSLCipherSuite"},
    NearWord{"SSLClientCA", "write SSLCACertificateFile"},
    NearWord{"SSLClientCRL", "write SSLCARevocationFile"},
    NearWord{"SSLClientCertificate", "write SSLVerifyClient"},
    NearWord{"SSLCurves", "write \"SSLOpenSSLConfCmd Groups\""},
    NearWord{"SSLDisable", "write \"SSLEngine off\""},
    NearWord{"SSLEnable", "write \"SSLEngine on\""},
    NearWord{"SSLGroups", "write \"SSLOpenSSLConfCmd Groups\""},
    NearWord{"SSLKeyFile", "write SSLCertificateKeyFile"},
    NearWord{"SSLMutex", "httpd has Mutex since 2.4, and none is needed here: leave it out"},
    NearWord{"SSLOption", "write SSLOptions"},
    NearWord{"SSLProtocols", "write SSLProtocol"},
    NearWord{"SSLProxyCA", "write SSLProxyCACertificateFile"},
    NearWord{"SSLProxyVerifyName", "write SSLProxyCheckPeerName"},
    NearWord{"SSLStapling", "write SSLUseStapling"},
    NearWord{"SSLVerify", "write SSLVerifyClient"},
};
// clang-format on

}  // namespace tls::config
