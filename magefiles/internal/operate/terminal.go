package operate

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
	"k8s.io/client-go/tools/remotecommand"

	"todo.local/magefiles/internal/kube"
)

// inTerminal lets a process in a pod have this terminal, where there is one and the process reads from it: keys go
// there as they are typed.
func inTerminal(p *kube.Process, work func() error) error {
	in, out := int(os.Stdin.Fd()), int(os.Stdout.Fd())
	if p.Stdin == nil || !term.IsTerminal(in) || !term.IsTerminal(out) {
		return work()
	}
	before, err := term.MakeRaw(in)
	if err != nil {
		return err
	}
	defer func() { _ = term.Restore(in, before) }()
	sizes := newSizes(out)
	defer sizes.stop()
	p.Terminal = sizes
	return work()
}

// sizes tells the other end how large the terminal is, at first and when that changes.
type sizes struct {
	fd      int
	changed chan os.Signal
}

func newSizes(fd int) *sizes {
	s := &sizes{fd: fd, changed: make(chan os.Signal, 1)}
	signal.Notify(s.changed, syscall.SIGWINCH)
	s.changed <- syscall.SIGWINCH // the size that it has now
	return s
}

// Next waits for the next size; nil means that there is none to come.
func (s *sizes) Next() *remotecommand.TerminalSize {
	if _, open := <-s.changed; !open {
		return nil
	}
	width, height, err := term.GetSize(s.fd)
	if err != nil {
		return nil
	}
	return &remotecommand.TerminalSize{Width: uint16(width), Height: uint16(height)}
}

func (s *sizes) stop() {
	signal.Stop(s.changed)
	close(s.changed)
}
