package image

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
)

// dump is what a containerd of version 2 says of its configuration, as far as snapshotters are named in it.
func dump(version, snapshotter string) string {
	return "version = " + version + "\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = '" + snapshotter + "'\n" +
		"[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\nsnapshotter = ''\n" +
		"[plugins.'io.containerd.transfer.v1.local']\nunpack_config = [{snapshotter = 'other'}]\n"
}

func TestSnapshotterOfANode(t *testing.T) {
	for name, x := range map[string]struct{ dump, want string }{
		"version 2":             {"version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"fuse-overlayfs\"\n", "fuse-overlayfs"},
		"version 3":             {dump("3", "native"), "native"},
		"version 4":             {dump("4", "zfs"), "zfs"},
		"the usual one":         {dump("3", "overlayfs"), "overlayfs"},
		"none is named":         {"version = 3\n", ""},
		"no TOML":               {"containerd: flag provided but not defined", ""},
		"nothing for a command": {dump("3", "over lay;"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode()
			n.config, n.unpacks = x.dump, x.want
			docker, _ := newEngine(map[string]pushable{"todo-a:1": imageOf(t, "base")}).docker(t, n)
			err := nodeOf(docker, t.TempDir()).Load(t.Context(), nil, []string{"todo-a:1"})
			if x.want != "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "the snapshotter of node n is not known")
			assert.Equal(t, fault.CodeCluster, fault.Code(err))
			assert.NotEmpty(t, fault.Remedy(err))
			assert.Empty(t, n.images)
		})
	}
}
