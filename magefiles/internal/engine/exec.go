package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"todo.local/magefiles/internal/run"
)

// Command is a command to be run in a container.
type Command struct {
	Args   []string
	Env    []string  // KEY=value pairs on top of the container's environment
	Stdin  io.Reader // none where nil
	Output io.Writer // gets what it prints to both of its outputs, as it comes; may be nil
}

// Exec runs a command that does not take long in a container, and gives its standard output without the white space
// around it.
func (d *Docker) Exec(ctx context.Context, name string, args ...string) (string, error) {
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	out, err := d.ExecCommand(bounded, name, Command{Args: args})
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = hangs(answerLimit)
	}
	return strings.TrimSpace(out), err
}

// ExecCommand runs a command in a container until it ends, and gives its standard output. Its error is a *run.Error
// where the command ended otherwise than with 0, and a *Refusal where the engine did not run it. Where ctx ends, the
// command goes on in the container until it notices that nobody reads what it prints.
func (d *Docker) ExecCommand(ctx context.Context, name string, c Command) (string, error) {
	question := strings.Join(append([]string{"exec", name}, c.Args...), " ")
	var stdout, text bytes.Buffer
	all := io.Writer(&text)
	if c.Output != nil {
		all = io.MultiWriter(all, c.Output)
	}
	code, err := d.exec(ctx, name, c, io.MultiWriter(&stdout, all), all)
	if err != nil {
		return stdout.String(), d.refusal(ctx, question, err)
	}
	if code != 0 {
		return stdout.String(), &run.Error{
			Cmd: run.Redact(d.Runner, "docker "+question), Code: code, Output: run.Redact(d.Runner, text.String()), Err: fmt.Errorf("exit status %d", code),
		}
	}
	return stdout.String(), nil
}

func (d *Docker) exec(ctx context.Context, name string, c Command, stdout, stderr io.Writer) (code int, err error) {
	made, err := d.API.ExecCreate(ctx, name, client.ExecCreateOptions{
		Cmd: c.Args, Env: c.Env, AttachStdin: c.Stdin != nil, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return 0, err
	}
	attached, err := d.API.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return 0, err
	}
	defer attached.Close()
	defer context.AfterFunc(ctx, attached.Close)()
	if c.Stdin != nil {
		go func() {
			_, _ = io.Copy(attached.Conn, c.Stdin) // a command that ends before its input does tells why by itself
			_ = attached.CloseWrite()
		}()
	}
	if _, err := stdcopy.StdCopy(stdout, stderr, attached.Reader); err != nil {
		return 0, err
	}
	ended, err := d.API.ExecInspect(ctx, made.ID, client.ExecInspectOptions{})
	if err == nil && ended.Running {
		err = errors.New("the connection ended before the command did")
	}
	return ended.ExitCode, err
}
