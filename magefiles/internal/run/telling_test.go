package run

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheTellingLineIsTheReasonAndNoAside(t *testing.T) {
	for _, x := range []struct{ name, output, want string }{
		{"nothing was said", "\n  \n", ""},
		{"one line", "the reason\n", "the reason"},
		{"nothing but an aside", "\nexit status 2\n", "exit status 2"},
		{"docker run, version 20", "docker: Error response from daemon: driver failed programming external connectivity.\n" +
			"See 'docker run --help'.\n", "docker: Error response from daemon: driver failed programming external connectivity."},
		{"docker run, version 29", "docker: Error response from daemon: exec: \"docker-proxy\": executable file not found in $PATH\n\n" +
			"Run 'docker run --help' for more information\n", `docker: Error response from daemon: exec: "docker-proxy": executable file not found in $PATH`},
		{"docker start", "Error response from daemon: Bind for 127.0.0.1:8080 failed: port is already allocated\nError: failed to start containers: todo-control-plane\n",
			"Error response from daemon: Bind for 127.0.0.1:8080 failed: port is already allocated"},
		{"docker build, with a link to the details", "------\nERROR: failed to build: failed to solve: base: not found\n\n" +
			"View build details: docker-desktop://dashboard/build/default/default/abc\n", "ERROR: failed to build: failed to solve: base: not found"},
		{"an unknown flag", "unknown flag: --snapshoter\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'docker run --help' for more information\n",
			"unknown flag: --snapshoter"},
		{"kubeadm, with the stack of its error", "error: error execution phase wait-control-plane: failed while waiting for the kubelet to start\n" +
			"k8s.io/kubernetes/cmd/kubeadm/app/cmd/phases/workflow.(*Runner).Run.func1\n\tk8s.io/kubernetes/cmd/kubeadm/app/cmd/phases/workflow/runner.go:262\n" +
			"github.com/spf13/cobra.(*Command).execute\n\tgithub.com/spf13/cobra@v1.10.0/command.go:1015\n" +
			"main.main\n\tk8s.io/kubernetes/cmd/kubeadm/kubeadm.go:25\nruntime.main\n\truntime/proc.go:285\nruntime.goexit\n\truntime/asm_amd64.s:1771\n",
			"error: error execution phase wait-control-plane: failed while waiting for the kubelet to start"},
		{"systemctl", "Job for containerd.service failed because the control process exited with error code.\n" +
			"See \"systemctl status containerd.service\" and \"journalctl -xeu containerd.service\" for details.\n",
			"Job for containerd.service failed because the control process exited with error code."},
		{"a panic", "panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:12 +0x1d\nexit status 2\n",
			"panic: assignment to entry in nil map"},
		{"a panic at an address", "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4]\n\n" +
			"goroutine 18 [running]:\ngithub.com/a/b.(*T).Do(0x0, {0xc000, 0x1})\n\t/src/b.go:3 +0x1d\ncreated by main.main in goroutine 1\n\t/src/main.go:9 +0x25\n",
			"panic: runtime error: invalid memory address or nil pointer dereference"},
		{"the Go compiler", "# todo.local/magefiles\nmagefiles/magefile.go:12:3: undefined: deploy\n", "magefiles/magefile.go:12:3: undefined: deploy"},
		{"npm", "npm error code ENOTFOUND\nnpm error network request to https://packages.example/next failed, reason: getaddrinfo ENOTFOUND\n" +
			"npm error A complete log of this run can be found in: /root/.npm/_logs/x.log\n",
			"npm error network request to https://packages.example/next failed, reason: getaddrinfo ENOTFOUND"},
		{"pip", "ERROR: No matching distribution found for fastapi==9\n\n[notice] A new release of pip is available: 25.0 -> 25.3\n[notice] To update, run: pip install --upgrade pip\n",
			"ERROR: No matching distribution found for fastapi==9"},
		{"a pull", "Using default tag: latest\nError response from daemon: pull access denied for none, repository does not exist or may require 'docker login': denied\n",
			"Error response from daemon: pull access denied for none, repository does not exist or may require 'docker login': denied"},
	} {
		t.Run(x.name, func(t *testing.T) { assert.Equal(t, x.want, Telling(x.output)) })
	}
}
