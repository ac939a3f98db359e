//go:build soak

package e2e

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSlow runs the browser tests as people with slow machines have it: what the pages do must not depend on what comes
// first.
func TestSlow(t *testing.T) {
	const runs, slowdown = 20, 6
	project := here(t)
	require.Zero(t, project.mage(t, nil, "deploy").code)
	// Not a quota of the node's: cgroup v1 refuses one below those of the pods in it.
	busy := fmt.Sprintf("for i in $(seq %d); do while :; do :; done & done; wait", runtime.NumCPU())
	_, err := docker(t).Output(t.Context(), "exec", "--detach", settings(t).ClusterName+"-control-plane", "sh", "-c", busy)
	require.NoError(t, err)
	for run := range runs {
		r := project.mage(t, nil, "test:browser", fmt.Sprintf("-slowdown=%d", slowdown))
		require.Zero(t, r.code, "%d of %d runs passed", run, runs)
		t.Logf("%d of %d runs passed", run+1, runs)
	}
	require.Zero(t, project.mage(t, nil, "cluster:delete").code)
}
