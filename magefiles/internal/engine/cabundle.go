package engine

import (
	"os"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/host"
)

// systemBundles are where distributions keep the certificate authorities that the machine trusts.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// CABundle gives the PEM file of the certificate authorities that builds have to trust: TODO_CA_BUNDLE, else
// SSL_CERT_FILE, else the system's. One that a variable names is given even where there is no such file; ok tells
// whether there is.
func CABundle(cfg *config.Config) (path string, ok bool) {
	for _, named := range []string{cfg.CABundle, os.Getenv("SSL_CERT_FILE")} {
		if named != "" {
			return named, host.IsFile(named)
		}
	}
	for _, path := range systemBundles {
		if host.IsFile(path) {
			return path, true
		}
	}
	return "", false
}
