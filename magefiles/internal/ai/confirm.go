package ai

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"todo.local/magefiles/internal/ui"
)

// AtTerminal gives a Session's Confirm, or nil where no person sits at a terminal.
func AtTerminal(out *ui.UI) func(context.Context, string) (bool, error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
		return nil
	}
	return func(ctx context.Context, question string) (bool, error) { return confirm(ctx, os.Stdin, out, question) }
}

// confirm asks a question. Only y and yes are a yes: an empty line or the end of the input is a no.
func confirm(ctx context.Context, in io.Reader, out *ui.UI, question string) (bool, error) {
	out.Printf("\n%s [y/N] ", question)
	line := make(chan string, 1)
	// A read of a terminal cannot be ended; it goes with the process.
	go func() {
		text, _ := bufio.NewReader(in).ReadString('\n')
		line <- text
	}()
	select {
	case <-ctx.Done():
		out.Printf("\n")
		return false, ctx.Err()
	case text := <-line:
		text = strings.ToLower(strings.TrimSpace(text))
		return text == "y" || text == "yes", nil
	}
}
