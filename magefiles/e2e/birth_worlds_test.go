//go:build worlds

package e2e

import (
	"maps"

	"todo.local/magefiles/internal/fault"
)

// Of these, a control plane has to be waited for.
func init() {
	journals := []string{"kubelet.txt", "containerd.txt", "resources.txt"}
	maps.Copy(births, map[string]birth{
		"its image is no node's": {
			options: []string{"--entrypoint", "cat"}, code: fault.CodeInput, cause: `its image does not start like a node`,
		},
		"it has too little memory": {
			options: []string{"--memory", "300m", "--memory-swap", "300m"}, code: fault.CodeEnvironment,
			cause: `it has too little memory`, keeps: journals,
		},
		"its disk is full": {
			options: []string{"--tmpfs", "/var/lib/kubelet:size=64k,exec"}, code: fault.CodeEnvironment,
			cause: `the disk is full`, keeps: journals,
		},
		"the disk under etcd is full": {
			options: []string{"--tmpfs", "/var/lib/etcd:size=4m"}, code: fault.CodeEnvironment,
			cause: `the disk is full`, keeps: append(journals, "pods.txt"),
		},
		"its kubelet is configured wrongly": {
			before: `"$docker" exec "$node" sed -i 's/^kind: KubeletConfiguration/&\ncpuManagerPolicy: nonsense/' /kind/kubeadm.conf`,
			code:   fault.CodeCluster, cause: `the kubelet does not start: .*nonsense`, keeps: journals,
		},
		"its containerd is configured wrongly": {
			before: `"$docker" exec "$node" sh -c 'echo nonsense >>/etc/containerd/config.toml; systemctl restart containerd'`,
			code:   fault.CodeCluster, cause: `the node's containerd does not start: `, keeps: journals,
		},
		"the API server's port is taken in it": {
			before: `"$docker" exec --detach "$node" kubectl proxy --address 0.0.0.0 --port 6443`,
			code:   fault.CodeCluster, cause: `a port of the control plane is taken in the node: .*6443`, keeps: append(journals, "pods.txt"),
		},
	})
}
