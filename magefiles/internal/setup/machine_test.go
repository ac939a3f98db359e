package setup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/host"
)

// Capability sets as the kernel shows them.
const (
	allCaps    = "000001ffffffffff"
	noResource = "000001fffeffffff"
)

// machine lays out files under a temporary root.
func machine(t *testing.T, files map[string]string) host.Host {
	t.Helper()
	h := host.Host{Root: t.TempDir()}
	for rel, content := range files {
		require.NoError(t, h.WriteFile(rel, []byte(content), 0o644))
	}
	return h
}

// process adds a process to the files of a machine.
func process(files map[string]string, pid, comm, capBnd string) map[string]string {
	files["proc/"+pid+"/comm"] = comm + "\n"
	files["proc/"+pid+"/stat"] = pid + " (" + comm + ") S 1 1"
	files["proc/"+pid+"/status"] = "CapBnd:\t" + capBnd + "\n"
	return files
}

// program puts an executable that is never run into a folder.
func program(t *testing.T, path string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, nil, 0o755))
	return path
}

// versions is what a docker client says of itself and of its engine.
func versions(client, server string) string {
	return `{"Client":{"Version":"` + client + `","Os":"darwin","Arch":"arm64"},"Server":{"Version":"` + server + `","Os":"linux","Arch":"amd64"}}`
}
