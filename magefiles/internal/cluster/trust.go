package cluster

import (
	"errors"
	"os"
	"path/filepath"

	"todo.local/magefiles/internal/fault"
)

const (
	// trustMount is what a node's containerd reads, at each pull, of registries that nothing more is said of.
	trustMount = "/etc/containerd/certs.d/_default"
	trustCA    = "ca.pem"
	trustFile  = "hosts.toml"
	trust      = "ca = \"" + trustMount + "/" + trustCA + "\"\n"
)

// prepareFolders makes the folders of the host that the node is given. Its containerd trusts the certificate
// authorities of CABundle, next to those of the node, from its next pull on: where a proxy inspects TLS, it gets no
// image otherwise.
func (k *Kind) prepareFolders() error {
	dir := k.trustDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if k.CABundle == "" {
		for _, name := range []string{trustFile, trustCA} {
			if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		return nil
	}
	bundle, err := os.ReadFile(k.CABundle)
	if err != nil {
		return fault.Wrap(err, fault.CodeInput, "TODO_CA_BUNDLE cannot be read", "name a PEM file, or leave it empty")
	}
	for name, content := range map[string][]byte{trustCA: bundle, trustFile: []byte(trust)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kind) trustDir() string { return filepath.Join(k.markDir(), "registries") }
