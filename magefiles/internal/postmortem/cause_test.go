package postmortem

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// exited is a container that ended, running one that runs.
const (
	exited  = `[{"Id":"12","State":{"Status":"exited","ExitCode":3},"Config":{"Env":["HTTP_PROXY=http://u:hidden@proxy"]}}]`
	running = `[{"Id":"12","State":{"Status":"running","StartedAt":"2026-11-25T00:00:01Z"}}]`
)

// node is an engine with one node that answers each question as told.
func node(t *testing.T, inspect string, says map[source]string) *engine.Docker {
	fake := (&run.Fake{}).On("docker container inspect x", inspect, nil).On("docker logs --tail 400 x", says[console], nil)
	for about, script := range questions {
		fake.On("docker exec --env STARTED=@1795564801 --env ID=12 x sh -c "+script, says[about], nil)
	}
	return dockertest.New(t, fake)
}

func kubeadm() error {
	return &run.Error{Cmd: "docker exec", Code: 1, Err: errors.New("exit status 1"), Output: "[wait-control-plane] Waiting for the kubelet\n" +
		"error: error execution phase wait-control-plane: context deadline exceeded\nmain.main\n\tk8s.io/kubernetes/cmd/kubeadm/kubeadm.go:25\nruntime.goexit\n\truntime/asm_amd64.s:1771\n"}
}

func TestEveryCauseIsToldByItsSigns(t *testing.T) {
	engineSaid := func(output string) error {
		return &run.Error{Cmd: "docker run", Code: 125, Output: output, Err: errors.New("exit status 125")}
	}
	for name, x := range map[string]struct {
		failure error
		inspect string
		says    map[source]string
		want    string
		code    int
		remedy  string // a part of it
		waits   bool   // waiting may help
	}{
		"a taken port": {failure: engineSaid("docker: Error response from daemon: Bind for 127.0.0.1:80 failed: port is already allocated.\nSee 'docker run --help'.\n"), inspect: exited,
			want: "a port is taken: docker: Error response from daemon: Bind for 127.0.0.1:80 failed: port is already allocated.", code: fault.CodeEnvironment, remedy: "TODO_HTTP_PORT"},
		"an engine that went away": {failure: &run.Error{Cmd: "docker exec", Code: 1, Err: errors.New("exit status 1"),
			Output: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"},
			want: "Docker cannot be used: its engine does not answer", code: fault.CodeEnvironment, remedy: "start Docker"},
		"an engine that refuses, after a life before": {failure: &run.Error{Cmd: "/usr/bin/docker start x", Code: 1, Err: errors.New("exit status 1"),
			Output: "Error response from daemon: no such device\nError: failed to start containers: x\n"}, inspect: exited, says: map[source]string{console: "exec format error\n"},
			want: "Error response from daemon: no such device", code: fault.CodeCluster, waits: true},
		"another architecture": {inspect: exited, says: map[source]string{console: "exec /usr/local/bin/entrypoint: exec format error\n"},
			want: "its image is for another architecture than this machine's: exec /usr/local/bin/entrypoint: exec format error", code: fault.CodeInput, remedy: "TODO_NODE_IMAGE"},
		"inotify, in the init": {inspect: exited, says: map[source]string{console: "Failed to create control group inotify object: Too many open files\nFailed to allocate manager object: Too many open files\n[!!!!!!] Failed to allocate manager object.\n"},
			want: "the kernel's inotify limits are too low: Failed to allocate manager object: Too many open files", code: fault.CodeEnvironment, remedy: "setup"},
		"a read-only disk": {inspect: exited, says: map[source]string{console: "INFO: starting\nmkdir: cannot create directory '/etc/systemd/system.conf.d/': Read-only file system\n"},
			want: "the node cannot write to its disk: mkdir: cannot create directory '/etc/systemd/system.conf.d/': Read-only file system", code: fault.CodeEnvironment},
		"an entrypoint that ends": {inspect: exited, says: map[source]string{console: "INFO: starting\nERROR: UserNS: cpu controller needs to be delegated\n"},
			want: "its container ended: exit code 3: ERROR: UserNS: cpu controller needs to be delegated", code: fault.CodeCluster},
		"killed for its memory": {inspect: `[{"Id":"12","State":{"Status":"exited","ExitCode":137,"OOMKilled":true}}]`,
			want: "it has too little memory: it was killed", code: fault.CodeEnvironment, remedy: "memory"},
		"too little memory": {failure: kubeadm(), inspect: running, says: map[source]string{resources: "Id=kubelet.service\nkilled: 7 processes of the node, for its limit of 200 MB\n"},
			want: "it has too little memory: 7 processes of the node, for its limit of 200 MB", code: fault.CodeEnvironment, remedy: "memory"},
		"memory that is short": {failure: kubeadm(), inspect: running, says: map[source]string{resources: "short: the node's limit is 300 MB\n"},
			want: "it has too little memory: the node's limit is 300 MB", code: fault.CodeEnvironment, remedy: "memory", waits: true},
		"a full disk": {failure: kubeadm(), inspect: running, says: map[source]string{resources: "full: /var has 0 of 1200 MB free\n",
			kubelet: `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: no space left on device"`},
			want: "the disk is full: /var has 0 of 1200 MB free", code: fault.CodeEnvironment, remedy: "docker system prune"},
		"containerd's configuration": {failure: kubeadm(), inspect: running, says: map[source]string{
			containerd: "containerd successfully booted in 0.1s\nStarting containerd.service\ncontainerd: failed to load TOML: /etc/containerd/config.toml: bad number\n",
			kubelet:    `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: validate CRI v1 runtime API: dial unix /run/containerd/containerd.sock: no such file"`},
			want: "the node's containerd does not start: containerd: failed to load TOML: /etc/containerd/config.toml: bad number", code: fault.CodeCluster},
		"containerd that is not there yet": {failure: kubeadm(), inspect: running, says: map[source]string{
			kubelet: `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: validate CRI v1 runtime API: dial unix /run/containerd/containerd.sock: no such file"`},
			want: "the kubelet does not reach containerd: failed to run Kubelet: validate CRI v1 runtime API: dial unix /run/containerd/containerd.sock: no such file", code: fault.CodeCluster, waits: true},
		"a kubelet that does not start": {failure: kubeadm(), inspect: running, says: map[source]string{
			kubelet: `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: invalid \"evictionHard\""` + "\nkubelet.service: Failed with result 'exit-code'.\n"},
			want: `the kubelet does not start: failed to run Kubelet: invalid "evictionHard"`, code: fault.CodeCluster},
		"a kubelet that got over it": {failure: kubeadm(), inspect: running, says: map[source]string{
			kubelet: `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: x"` + "\n" + `I1125 00:01:03.345678     322 server.go:1] "Started kubelet"` + "\n"},
			want: "error execution phase wait-control-plane: context deadline exceeded", code: fault.CodeCluster, remedy: "doctor", waits: true},
		"cgroup v1 refused": {failure: kubeadm(), inspect: running, says: map[source]string{
			kubelet: `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to validate kubelet configuration: kubelet is configured to not run on a host using cgroup v1"`},
			want: "the kubelet refuses this machine's cgroup v1: failed to validate kubelet configuration: kubelet is configured to not run on a host using cgroup v1", code: fault.CodeEnvironment},
		"inotify, of the kubelet": {failure: kubeadm(), inspect: running, says: map[source]string{
			kubelet: `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: inotify_init: too many open files"`},
			want: "the kernel's inotify limits are too low: failed to run Kubelet: inotify_init: too many open files", code: fault.CodeEnvironment, remedy: "setup"},
		"a port inside": {failure: kubeadm(), inspect: running, says: map[source]string{
			pods: "== kube-system_kube-apiserver/3.log\n2026-11-25T00:01:02.345678Z stderr F E1125 00:01:02.345678       1 run.go:72] \"command failed\" err=\"failed to create listener: failed to listen on 0.0.0.0:6443: listen tcp 0.0.0.0:6443: bind: address already in use\"\n"},
			want: "a port of the control plane is taken in the node: failed to create listener: failed to listen on 0.0.0.0:6443: listen tcp 0.0.0.0:6443: bind: address already in use", code: fault.CodeCluster, waits: true},
		"a clock that is wrong": {failure: errors.New("the API server answers /readyz with 500"), inspect: running, says: map[source]string{
			pods: "2026-11-25T00:01:02Z stderr F tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2020-01-01\n"},
			want: "a certificate is not valid at this machine's time of day: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2020-01-01",
			code: fault.CodeEnvironment, remedy: "clock", waits: true},
		"a disk that is full under etcd": {failure: errors.New("connection refused"), inspect: running, says: map[source]string{
			pods: `2026-11-25T00:01:02Z stderr F {"level":"panic","msg":"failed to open database","path":"/var/lib/etcd/member/snap/db","error":"open db: no space left on device","stacktrace":"x"}` + "\n"},
			want: "the disk is full: failed to open database: open db: no space left on device", code: fault.CodeEnvironment, remedy: "docker system prune"},
		"data that is broken": {failure: errors.New("connection refused"), inspect: running, says: map[source]string{
			pods: `2026-11-25T00:01:02Z stderr F {"level":"fatal","msg":"failed to recover v3 backend from snapshot"}` + "\n"},
			want: "etcd cannot read its data: failed to recover v3 backend from snapshot", code: fault.CodeCluster, remedy: "disk"},
		"an image that is no node's": {failure: errors.New(`could not find a log line that matches "Reached target .*Multi-User System.*|detected cgroup v1"`), inspect: running,
			want: `its image does not start like a node: could not find a log line that matches "Reached target .*Multi-User System.*|detected cgroup v1"`, code: fault.CodeInput, waits: true},
		"nothing known": {failure: errors.New("the API server answers /readyz with 500"), inspect: running,
			want: "the API server answers /readyz with 500", code: fault.CodeCluster, waits: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := Look(t.Context(), node(t, x.inspect, x.says), "x", x.failure).Cause()
			assert.Equal(t, x.want, c.What)
			assert.Equal(t, x.code, c.Code)
			assert.NotEmpty(t, c.Remedy)
			assert.Contains(t, c.Remedy, x.remedy)
			assert.NotContains(t, c.Remedy, "cluster:delete")
			assert.Equal(t, !x.waits, c.Final)
		})
	}
}

// The engine calls a container running for a moment after its last process ended.
func TestAnEndThatTheEngineHasNotNoticedYetIsTold(t *testing.T) {
	looks := 0
	fake := (&run.Fake{}).On("docker logs --tail 400 x", "ERROR: the reason why\n", nil).
		On("docker exec", "", run.Failed(126, "OCI runtime exec failed: exec failed: cannot exec in a stopped container\n")).
		OnFunc("docker container inspect x", func(run.Cmd) (string, error) {
			if looks++; looks < 3 {
				return running, nil
			}
			return exited, nil
		})
	refused := errors.New("its node does not tell whether its creation was completed")
	c := Look(t.Context(), dockertest.New(t, fake), "x", refused).Cause()
	assert.Equal(t, "its container ended: exit code 3: ERROR: the reason why", c.What)
}

func TestAMissingCgroupIsMendedAndNotFinal(t *testing.T) {
	c := Look(t.Context(), node(t, running, map[source]string{kubelet: `E1125 00:01:02.345678     321 run.go:72] "command failed" err="failed to run Kubelet: ` +
		`cgroup [\"kubelet\"] has some missing paths: /sys/fs/cgroup/hugetlb/kubelet, /sys/fs/cgroup/net_cls,net_prio/kubelet; rm -rf /"`}), "x", nil).Cause()
	assert.False(t, c.Final)
	assert.Equal(t, []string{"/sys/fs/cgroup/hugetlb/kubelet", "/sys/fs/cgroup/net_cls,net_prio/kubelet"}, c.Mend[4:], "paths alone")
}

func TestTheEvidenceIsKeptWithoutTheEnvironment(t *testing.T) {
	e := Look(t.Context(), node(t, exited, map[source]string{console: "the reason why\n"}), "x", kubeadm())
	dir := filepath.Join(t.TempDir(), "evidence")
	require.NoError(t, e.Save(dir, e.Cause()))
	saved, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	var names []string
	for _, path := range saved {
		names = append(names, filepath.Base(path))
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.NotContains(t, string(raw), "hidden")
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Zero(t, info.Mode().Perm()&0o077)
	}
	assert.Equal(t, "answer.txt cause.txt console.txt container.txt ending.txt", strings.Join(names, " "))
}

func TestWhatCannotBeAskedIsNoCause(t *testing.T) {
	d := dockertest.New(t, &run.Fake{})
	assert.Equal(t, "the reason why", Look(t.Context(), d, "x", errors.New("the reason why")).Cause().What)
}
