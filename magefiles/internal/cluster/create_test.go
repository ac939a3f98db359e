package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	kindexec "sigs.k8s.io/kind/pkg/exec"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// failedIn is what kind's library gives where a docker command of its own failed.
func failedIn(output string, command ...string) error {
	return failureOf(&kindexec.RunError{Command: append([]string{"docker"}, command...), Inner: errors.New("exit status 1"), Output: []byte(output)}).error()
}

func TestAFailedCreationNamesItsCauseAndLeavesNothing(t *testing.T) {
	for name, x := range map[string]struct {
		failure error
		status  string // of the container that is left
		says    map[string]string
		code    int
		cause   string
	}{
		"a taken port": {failedIn("0123\ndocker: Error response from daemon: Bind for 127.0.0.1:8080 failed: port is already allocated.\nSee 'docker run --help'.\n",
			"run", "--env", "HTTP_PROXY=http://u:hidden@proxy"), "created", nil,
			fault.CodeEnvironment, "a port is taken: docker: Error response from daemon: Bind for 127.0.0.1:8080 failed: port is already allocated."},
		"a port that is kept for root": {failedIn("docker: Error response from daemon: error while calling RootlessKit PortManager.AddPort(): cannot expose privileged port 80.\n", "run"), "created", nil,
			fault.CodeEnvironment, "a rootless engine may not use ports below 1024: docker: Error response from daemon: error while calling RootlessKit PortManager.AddPort(): cannot expose privileged port 80."},
		"an engine without its helper": {failedIn("docker: Error response from daemon: exec: \"docker-proxy\": executable file not found in $PATH\n\nRun 'docker run --help' for more information\n",
			"run", "--env", "HTTP_PROXY=http://u:hidden@proxy"), "created", nil,
			fault.CodeCluster, "docker: Error response from daemon: exec: \"docker-proxy\": executable file not found in $PATH"},
		"a kubelet that does not start": {failedIn("error: error execution phase wait-control-plane\nmain.main\n\truntime/asm_amd64.s:1771\n", "exec"), "running",
			map[string]string{"journalctl --unit kubelet": `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: no such thing"` + "\n"},
			fault.CodeCluster, "the kubelet does not start: failed to run Kubelet: no such thing"},
		"an entrypoint that ends": {errors.New(`could not find a log line that matches "Multi-User System"`), "exited", nil,
			fault.CodeCluster, "its container ended: exit code 0"},
	} {
		t.Run(name, func(t *testing.T) {
			w, k := newWorld(t)
			k.create = func(context.Context, *v1alpha4.Cluster, func(string)) error {
				w.status, w.marked = x.status, true
				return x.failure
			}
			for question, answer := range x.says {
				w.fake.On("docker exec --env STARTED=@1767225600 --env ID=1234 x-control-plane sh -c "+question, answer, nil)
			}
			_, err := up(t, k)
			require.EqualError(t, err, "kind cluster x could not be made: "+x.cause)
			assert.Equal(t, x.code, fault.Code(err))
			assert.NotEmpty(t, fault.Remedy(err))
			assert.NotContains(t, fault.Remedy(err), "cluster:delete")
			assert.Equal(t, 1, w.deleted)
			kept, err := filepath.Glob(filepath.Join(k.Diagnoses, "*", "*.txt"))
			require.NoError(t, err)
			require.NotEmpty(t, kept)
			for _, path := range kept {
				raw, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.NotContains(t, string(raw), "hidden", path)
			}
		})
	}
}

func TestAFailedCreationLeavesANodeThatIsNotItsOwn(t *testing.T) {
	for name, failure := range map[string]error{
		"it was there when kind looked": errors.New(`node(s) already exist for a cluster with the name "x"`),
		"it came a moment later": failedIn("docker: Error response from daemon: Conflict. The container name \"/x-control-plane\" is already in use by container \"12\".\n"+
			"See 'docker run --help'.\n", "run"),
	} {
		t.Run(name, func(t *testing.T) {
			w, k := newWorld(t)
			k.create = func(context.Context, *v1alpha4.Cluster, func(string)) error {
				w.status, w.marked = "running", true
				return failure
			}
			_, err := up(t, k)
			require.Error(t, err)
			assert.Zero(t, w.deleted)
		})
	}
}

func TestACgroupThatIsMissingIsMadeWhileTheControlPlaneStarts(t *testing.T) {
	w, k := newWorld(t)
	k.pulse = time.Millisecond
	mended := make(chan struct{})
	const kubelet = "docker exec --env STARTED=@1767225600 --env ID=1234 x-control-plane sh -c journalctl --unit kubelet"
	w.fake.On(kubelet, `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: invalid configuration: `+
		`cgroup [\"kubelet\"] has some missing paths: /sys/fs/cgroup/hugetlb/kubelet, /sys/fs/cgroup/net_cls,net_prio/kubelet"`+"\n", nil)
	w.fake.OnFunc("docker exec x-control-plane sh -euc for path", func(c run.Cmd) (string, error) {
		assert.Equal(t, []string{"/sys/fs/cgroup/hugetlb/kubelet", "/sys/fs/cgroup/net_cls,net_prio/kubelet"}, c.Args[len(c.Args)-2:])
		w.fake.On(kubelet, "", nil)
		close(mended)
		return "", nil
	})
	create := k.create
	k.create = func(ctx context.Context, config *v1alpha4.Cluster, line func(string)) error {
		w.status, w.marked = "running", true
		line(" • Starting control-plane 🕹️  ...")
		<-mended
		return create(ctx, config, line)
	}
	_, err := up(t, k)
	require.NoError(t, err)
	assert.Zero(t, w.deleted)
}

func TestACreationWithNoHopeIsEndedEarly(t *testing.T) {
	w, k := newWorld(t)
	k.pulse = time.Millisecond
	w.fake.On("docker exec --env STARTED=@1767225600 --env ID=1234 x-control-plane sh -c systemctl show", "full: /var has 0 of 1200 MB free\n", nil)
	ended := make(chan struct{})
	w.fake.OnFunc("docker exec x-control-plane pkill kubeadm", func(run.Cmd) (string, error) { close(ended); return "", nil })
	k.create = func(_ context.Context, _ *v1alpha4.Cluster, line func(string)) error {
		w.status, w.marked = "running", true
		line(" • Starting control-plane 🕹️  ...")
		<-ended
		return failedIn("", "exec")
	}
	_, err := up(t, k)
	require.EqualError(t, err, "kind cluster x could not be made: the disk is full: /var has 0 of 1200 MB free")
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.Equal(t, 1, w.deleted)
}
