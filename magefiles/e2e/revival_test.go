//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
)

const entrypoint = "/usr/local/bin/entrypoint"

// revived breaks the stopped node, with its data in it, in ways that keep it from coming up. A deploy says so and
// deletes nothing; once that is repaired, the next one finds everything.
func revived(t *testing.T, project checkout, alice *user) {
	cfg, dir := settings(t), t.TempDir()
	node, whole := cfg.ClusterName+"-control-plane", filepath.Join(dir, "whole")
	ask := func(args ...string) string {
		out, err := docker(t).Output(context.WithoutCancel(t.Context()), args...)
		require.NoError(t, err)
		return out
	}
	identity := func() string { return ask("container", "inspect", "--format", "{{.Id}}", node) }
	before := identity()
	require.Zero(t, project.mage(t, nil, "cluster:down").code)
	ask("cp", node+":"+entrypoint, whole)
	ask("cp", whole, node+":"+entrypoint+".whole")
	repair := func() {
		ask("stop", "-t", "5", node)
		ask("cp", whole, node+":"+entrypoint)
	}
	defer func() {
		if t.Failed() { // perhaps before it was repaired
			repair()
		}
	}()

	for _, x := range []struct {
		name, script, cause string
		code                int
	}{
		{"its entrypoint ends", "#!/bin/sh\necho 'ERROR: the reason why' >&2\nexit 3\n", "its container ended: exit code 3: ERROR: the reason why", fault.CodeCluster},
		// Whatever the database of the cluster would write has nowhere to go.
		{"its disk is full", `#!/bin/sh
mkdir -p /small && mount -t tmpfs -o size=256k tmpfs /small && mkdir /small/up /small/work
mount -t overlay -o lowerdir=/var/lib/etcd,upperdir=/small/up,workdir=/small/work overlay /var/lib/etcd
exec ` + entrypoint + `.whole "$@"
`, "the disk is full: failed to open database: .*no space left on device", fault.CodeEnvironment},
	} {
		t.Run(x.name, func(t *testing.T) {
			broken := filepath.Join(dir, "broken")
			require.NoError(t, os.WriteFile(broken, []byte(x.script), 0o755))
			ask("cp", broken, node+":"+entrypoint)
			r := project.mage(t, nil, "deploy")
			t.Logf("%.1f s to the cause", r.took.Seconds())
			assert.Equal(t, x.code, r.code)
			assert.Regexp(t, `Error: kind cluster `+cfg.ClusterName+` does not come up: `+x.cause, r.output)
			says := r.output[strings.LastIndex(r.output, "  → "):]
			assert.Regexp(t, `run the target again.*Nothing was deleted: go tool mage cluster:delete would`, says)
			assert.Contains(t, r.output, filepath.Join(".cache", "diagnosis"))
			assert.Equal(t, before, identity(), "it is the node that it was")
			assert.FileExists(t, cfg.Kubeconfig())
			repair()
		})
	}
	require.Zero(t, project.mage(t, nil, "deploy").code)
	assert.Equal(t, before, identity())
	running(t).login(t, alice)
	assert.Equal(t, []string{"written on the first day"}, alice.titles(t))
}
