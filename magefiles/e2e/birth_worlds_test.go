//go:build worlds

package e2e

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
)

// These take longer: of most of them something in the node has to be waited for.
func init() {
	journals := []string{"kubelet.txt", "containerd.txt", "resources.txt"}
	maps.Copy(births, map[string]birth{
		"its image is for another architecture": {
			options: []string{"--volume", "DIR/entrypoint:/usr/local/bin/entrypoint:ro"}, code: fault.CodeInput,
			files: entrypointOf("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\x16\x00\x01\x00\x00\x00" + strings.Repeat("\x00", 200)), // of an IBM Z
			cause: `its image is for another architecture than this machine's: .*exec format error`,
		},
		"its disk cannot be written": {
			options: []string{"--read-only"}, code: fault.CodeEnvironment, cause: `the node cannot write to its disk: .*Read-only file system`,
		},
		"the engine goes away": {
			before: `touch "$dir/gone"; ` + unreachable, code: fault.CodeEnvironment, cause: `Docker cannot be used: its engine does not answer`,
		},
		"its image is no node's": {
			options: []string{"--entrypoint", "cat"}, code: fault.CodeInput, cause: `its image does not start like a node`,
		},
		"its disk is full": {
			options: []string{"--tmpfs", "/var/lib/kubelet:size=4k"}, code: fault.CodeEnvironment,
			cause: `the disk is full`, keeps: journals,
		},
		"its kubelet is configured wrongly": {
			before: `"$docker" exec "$node" sed -i 's/^kind: KubeletConfiguration/&\ncpuManagerPolicy: nonsense/' /kind/kubeadm.conf`,
			code:   fault.CodeCluster, cause: `the kubelet does not start: .*nonsense`, keeps: journals,
		},
		"its containerd is configured wrongly": {
			before: `"$docker" exec "$node" sh -c 'echo nonsense >>/etc/containerd/config.toml; systemctl restart containerd'`,
			code:   fault.CodeCluster, cause: `the node's containerd does not start: `, keeps: journals,
		},
	})
}

// TestABirthIsMended takes a cgroup away that the kubelet needs, as the init of a node lacks it where another
// privileged container brought its hierarchy to the machine.
func TestABirthIsMended(t *testing.T) {
	info, err := docker(t).Info(t.Context())
	require.NoError(t, err)
	if info.CgroupVersion != "1" {
		t.Skip("only on cgroup v1 has each kind of cgroup a hierarchy of its own")
	}
	cluster := settings(t).ClusterName + "-birth"
	t.Cleanup(func() {
		require.Zero(t, here(t).mage(t, []string{"TODO_CLUSTER_NAME=" + cluster}, "cluster:delete").code)
	})
	missing := birth{before: `"$docker" exec "$node" sh -c 'for m in $(grep -o " /sys/fs/cgroup/pids[^ ]*/kubelet " /proc/self/mountinfo); do umount -l $m; done
		rmdir /sys/fs/cgroup/pids/kubelet'`}
	r := here(t).mage(t, missing.client(t, cluster), "cluster:up")
	require.Zero(t, r.code)
	assert.Regexp(t, `the kubelet misses a cgroup .*/sys/fs/cgroup/pids/kubelet.*; mended in the node`, r.output)
}
