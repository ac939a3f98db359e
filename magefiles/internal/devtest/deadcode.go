package devtest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/session"
)

// everyTag builds every test.
const everyTag = "e2e bench soak worlds engines"

// deadCode finds functions that neither a target nor a test reaches. The program that calls the targets is mage's to
// write: it does so into a copy, which nobody else compiles at the same time.
func deadCode(ctx context.Context, s session.Session, show func(string)) (err error) {
	dir, err := os.MkdirTemp("", "todo-deadcode-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	root := s.Config.Root
	if err := os.CopyFS(filepath.Join(dir, "magefiles"), os.DirFS(filepath.Join(root, "magefiles"))); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			return err
		}
	}
	mage, err := run.Output(ctx, s.Runner, "go", "-C", root, "tool", "-n", "mage")
	if err != nil {
		return err
	}
	// With -n, go says what it would compile: the program is written, and not made.
	keep := run.Cmd{Name: mage, Args: []string{"-keep", "-compile", filepath.Join(dir, "mage")}, Env: []string{"GOFLAGS=-n"}, Dir: dir}
	if _, err := s.Runner.Run(ctx, keep); err != nil {
		return err
	}
	program := filepath.Join(dir, "magefiles", "mage_output_file.go")
	raw, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	_, code, _ := bytes.Cut(raw, []byte("\n\n")) // what keeps it from being compiled with the rest
	if err := os.WriteFile(program, code, 0o644); err != nil {
		return err
	}
	found, err := s.Runner.Run(ctx, run.Cmd{
		Name: "go", Args: []string{"tool", "-modfile=" + filepath.Join(root, "tools/deadcode/go.mod"), "deadcode", "-test", "-tags", "mage " + everyTag, "./..."},
		Dir: dir, Line: show,
	})
	if err == nil && len(bytes.TrimSpace([]byte(found.Stdout))) > 0 {
		err = fault.New(fault.CodeFailed, "there are functions that nothing reaches", "they are above; remove them")
	}
	return err
}
