package cluster

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/source"
)

func TestANodeTrustsTheBundleThatTheSettingsName(t *testing.T) {
	_, k := newWorld(t)
	k.CABundle = filepath.Join(t.TempDir(), "bundle.pem")
	require.NoError(t, os.WriteFile(k.CABundle, []byte("a certificate"), 0o600))
	_, err := k.Up(t.Context(), nil, source.Node{}, func() {})
	require.NoError(t, err)

	var mounted string
	for _, m := range k.config(source.Node{}, Ports{}, Quirks{}).Nodes[0].ExtraMounts {
		if m.ContainerPath == trustMount {
			mounted = m.HostPath
			assert.True(t, m.Readonly)
		}
	}
	raw, err := os.ReadFile(filepath.Join(mounted, "ca.pem"))
	require.NoError(t, err)
	assert.Equal(t, "a certificate", string(raw))
	raw, err = os.ReadFile(filepath.Join(mounted, "hosts.toml"))
	require.NoError(t, err)
	assert.Equal(t, "ca = \""+trustMount+"/ca.pem\"\n", string(raw))

	k.CABundle = ""
	_, err = k.Up(t.Context(), nil, source.Node{}, func() {})
	require.NoError(t, err)
	left, err := os.ReadDir(mounted)
	require.NoError(t, err)
	assert.Empty(t, left, "and no longer once they name none")

	k.CABundle = filepath.Join(t.TempDir(), "none.pem")
	_, err = k.Up(t.Context(), nil, source.Node{}, func() {})
	require.ErrorContains(t, err, "TODO_CA_BUNDLE cannot be read")
	assert.Equal(t, fault.CodeInput, fault.Code(err))
}
