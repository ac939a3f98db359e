//go:build bench

package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/app"
)

// saves is how often a file is saved for a measurement.
const saves = 30

// TestInnerLoop goes through the life of a run of dev, and measures it, on a cluster of its own: go test -tags bench
// -run TestInnerLoop ./magefiles/e2e, with TODO_CLUSTER_NAME.
func TestInnerLoop(t *testing.T) {
	project := here(t)
	t.Cleanup(func() { project.mage(t, nil, "cluster:delete") })
	require.Zero(t, project.mage(t, nil, "deploy").code)
	innerLoop(t, project, running(t).register(t, fmt.Sprintf("dev%d@example.com", time.Now().Unix())))
	for _, w := range innerTimes(t, project) {
		t.Logf("%s: %s, at most %s", w.Name, quantity(w.Measured, w.Unit), quantity(w.Goal, w.Unit))
	}
}

// innerTimes measures how long it takes, thirty times each, from a saved file to what it changes, through the ingress.
func innerTimes(t *testing.T, project checkout) []weight {
	i := develop(t, copyOf(t, project))
	served := savedToServed(t, i)
	copied := median(t, func(int) time.Duration { return kubectlCopy(t, i.at) })
	shown := savedToShown(t, i)
	require.NoError(t, i.Process.Signal(syscall.SIGINT))
	require.NoError(t, i.Wait())
	return []weight{
		most("dev: from a saved file of the backend to what it changes, median of 30", milliseconds(served[saves/2]), 700, "ms"),
		most("dev: the same, p95", milliseconds(served[saves*95/100]), 1000, "ms"),
		most("dev: from a saved file of the frontend to what an open page shows, median of 30", milliseconds(shown[saves/2]), 500, "ms"),
		most("dev: the same, p95", milliseconds(shown[saves*95/100]), 1000, "ms"),
		{Name: "beside it, kubectl cp of one small file, which nothing serves yet", Measured: milliseconds(copied), Unit: "ms"},
	}
}

// savedToServed works on the backend while somebody uses it, and gives the times in order.
func savedToServed(t *testing.T, i *inner) (took []time.Duration) {
	failed := watch(t, i.at.register(t, fmt.Sprintf("saves%d@example.com", time.Now().Unix())))
	before := answer
	for n := range saves {
		after := fmt.Sprintf("%s Edition %d.", answer, n)
		i.replace(t, answerFile, before, after)
		took = append(took, i.serves(t, `"`+after+`"`))
		before = after
		time.Sleep(time.Second) // people save no faster; what is over is cleared up meanwhile
	}
	assert.Empty(t, failed())
	slices.Sort(took)
	t.Logf("saved to served: %v", took)
	assert.LessOrEqual(t, took[saves/2], 700*time.Millisecond)
	assert.LessOrEqual(t, took[saves*95/100], time.Second)
	return took
}

// kubectlCopy copies a file into the backend's pod in the way that Skaffold and Tilt do it for what was saved.
func kubectlCopy(t *testing.T, d *deployment) time.Duration {
	t.Helper()
	pods := d.names(t, app.Backend.Label())
	require.Len(t, pods, 1)
	start := time.Now()
	_, err := docker(t).Output(t.Context(), "exec", d.cfg.ClusterName+"-control-plane", "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf",
		"cp", "/etc/os-release", d.cfg.Namespace+"/"+pods[0]+":/tmp/copied", "--container", app.Backend.Name)
	require.NoError(t, err)
	return time.Since(start)
}
