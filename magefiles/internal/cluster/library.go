package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	kind "sigs.k8s.io/kind/pkg/cluster"
	kindcmd "sigs.k8s.io/kind/pkg/cmd"
	kindexec "sigs.k8s.io/kind/pkg/exec"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

const (
	// libraryArgument makes this program a process in which kind's library runs. The library starts whichever docker is
	// first on its PATH, hands its environment down, and takes no context: in a process of its own it finds the client
	// that was chosen, has no secret to hand down, and is ended with all its children.
	libraryArgument = "kind-library"

	// createLimit leaves time to pull a node image.
	createLimit = 20 * time.Minute
	// libraryLimit is for everything else that is asked of the library.
	libraryLimit = 2 * time.Minute
)

// libraryCall is what is asked of kind's library: a creation where there is a configuration, else a deletion or the
// kubeconfig that leads to the cluster.
type libraryCall struct {
	Create     *v1alpha4.Cluster
	Delete     bool
	Name       string
	Kubeconfig string // the file that is written, or from which a deleted cluster is removed
}

type libraryAnswer struct {
	Kubeconfig string
	Failure    *libraryFailure
}

// libraryFailure is an error on its way from one process to another, with what the failed command said.
type libraryFailure struct {
	Text    string
	Command string // empty where it was no command that failed
	Output  string
	Inner   string
	Code    int
}

// This is not main's to do: whatever program has the package, a test's among them, can be asked to be the library.
func init() {
	if len(os.Args) == 2 && os.Args[1] == libraryArgument {
		if err := serveLibrary(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// serveLibrary reads one call, makes it and writes the answer. kind's messages go to standard error as they come. Input
// that ends before is the end of whoever asked: nobody is left who would take the cluster.
func serveLibrary(in io.Reader, out io.Writer) error {
	var call libraryCall
	if err := json.NewDecoder(in).Decode(&call); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = syscall.Kill(0, syscall.SIGTERM) // itself and what it started
	}()
	var answer libraryAnswer
	var err error
	library := kind.NewProvider(kind.ProviderWithLogger(kindcmd.NewLogger()), kind.ProviderWithDocker())
	switch {
	case call.Create != nil:
		err = library.Create(call.Name,
			kind.CreateWithV1Alpha4Config(call.Create),
			kind.CreateWithKubeconfigPath(call.Kubeconfig),
			kind.CreateWithDisplayUsage(false),
			kind.CreateWithDisplaySalutation(false),
			kind.CreateWithRetain(true), // a node that fails is asked for the cause before it goes
		)
	case call.Delete:
		err = library.Delete(call.Name, call.Kubeconfig)
	default:
		answer.Kubeconfig, err = library.KubeConfig(call.Name, false)
	}
	answer.Failure = failureOf(err)
	return json.NewEncoder(out).Encode(answer)
}

func failureOf(err error) *libraryFailure {
	if err == nil {
		return nil
	}
	f := &libraryFailure{Text: err.Error()}
	var command *kindexec.RunError
	if errors.As(err, &command) {
		// Of the command no more than docker's own: the rest may hold a proxy's password.
		f.Command, f.Output = strings.Join(command.Command[:min(2, len(command.Command))], " "), string(command.Output)
		f.Inner, f.Code = command.Inner.Error(), -1
		var exit *exec.ExitError
		if errors.As(command.Inner, &exit) {
			f.Code = exit.ExitCode()
		}
	}
	return f
}

func (f *libraryFailure) error() error {
	switch {
	case f == nil:
		return nil
	case f.Command == "":
		return errors.New(f.Text)
	}
	return &run.Error{Cmd: f.Command, Code: f.Code, Output: f.Output, Err: errors.New(f.Inner)}
}

// callLibrary runs this program as kind's library. line gets the messages; it may be nil.
func callLibrary(ctx context.Context, d *engine.Docker, limit time.Duration, call libraryCall, line func(string)) (string, error) {
	self, err := program()
	if err != nil {
		return "", err
	}
	question, err := json.Marshal(call)
	if err != nil {
		return "", err
	}
	in, ask, err := os.Pipe() // open until the answer is here, and closed by the system where this process is killed
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	defer func() { _ = ask.Close() }()
	if _, err := ask.Write(question); err != nil { // a few KB, which a pipe takes unread
		return "", err
	}
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out bytes.Buffer
	_, err = d.Runner.Run(bounded, run.Cmd{
		Name: self, Args: []string{libraryArgument}, Env: []string{d.Path()}, Stdin: in, Stdout: &out, Line: line,
	})
	if err != nil {
		if ctx.Err() == nil && bounded.Err() != nil {
			err = fmt.Errorf("it took longer than %s", limit)
		}
		return "", err
	}
	var answer libraryAnswer
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return "", fmt.Errorf("kind's library gave no usable answer: %w", err)
	}
	return answer.Kubeconfig, answer.Failure.error()
}

// program is what runs here, whatever became of its file: mage puts a later version in its place.
func program() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}
