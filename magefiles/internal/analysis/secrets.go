package analysis

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"regexp"

	corev1 "k8s.io/api/core/v1"
)

// facts takes from Secrets what may be told of them.
func facts(all []corev1.Secret) []SecretFacts {
	out := []SecretFacts{}
	for _, s := range all {
		f := SecretFacts{Name: s.Name, Keys: map[string]string{}}
		for key, value := range s.Data {
			f.Keys[key] = flaw(key, value)
		}
		if s.Type == corev1.SecretTypeTLS {
			f.Certificate = certificateFacts(s.Data[corev1.TLSCertKey])
		}
		out = append(out, f)
	}
	return out
}

const shortestKey = 32 // bytes of JWT_SECRET that the backend starts with

var databaseURL = regexp.MustCompile(`^postgres(ql)?(\+\w+)?://`)

// flaw says what is plainly wrong with the shape of one of the application's values, without a letter of it.
func flaw(key string, value []byte) string {
	switch key {
	case "DATABASE_URL", "JWT_SECRET", "POSTGRES_PASSWORD", "OPENAI_API_KEY", "SMTP_URL":
	default:
		return ""
	}
	decoded, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(value)))
	twice := err == nil && databaseURL.Match(decoded)
	switch {
	case len(value) == 0:
		return "is empty"
	case twice:
		return "is encoded twice: its value is base64"
	case bytes.ContainsAny(value[len(value)-1:], "\r\n \t"):
		return "ends with white space"
	case key == "DATABASE_URL" && !databaseURL.Match(value):
		return "is no address that begins with postgresql://"
	case key == "JWT_SECRET" && len(value) < shortestKey:
		return "is shorter than 32 bytes"
	}
	return ""
}

func certificateFacts(raw []byte) *CertificateFacts {
	block, _ := pem.Decode(raw)
	if block == nil {
		return &CertificateFacts{Unreadable: "it is no PEM"}
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return &CertificateFacts{Unreadable: err.Error()}
	}
	return &CertificateFacts{NotBefore: c.NotBefore, NotAfter: c.NotAfter, Hosts: c.DNSNames}
}
