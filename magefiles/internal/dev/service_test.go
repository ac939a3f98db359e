package dev

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/kube"
)

// fakePod is a pod with a process that takes changes, as backend/develop/supervisor.py does.
type fakePod struct {
	mu     sync.Mutex
	files  map[string]string // the content by path
	change int
	broken string // the traceback of what does not load
	unused bool   // nothing that is served has the code in it
	slow   bool   // a change is not ready when the next comes, which takes its place
	mute   bool   // it answers nothing
	gone   error  // why there is no pod
	cut    func() // ends the connection
	opened int
}

func (f *fakePod) pod(context.Context, app.Service) (string, error) { return "backend-1", f.gone }

func (f *fakePod) exec(ctx context.Context, p kube.Process) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.mu.Lock()
	f.cut = cancel
	f.opened++
	f.mu.Unlock()
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(p.Stdin); in.Scan(); {
			lines <- slices.Clone(in.Bytes())
		}
	}()
	_, _ = fmt.Fprintln(p.Stdout, "somebody's print, which is no message")
	for {
		select {
		case <-ctx.Done():
			go func() { // whatever is still sent goes nowhere
				for range lines {
				}
			}()
			_, _ = fmt.Fprintln(p.Stderr, "Traceback:\nConnectionResetError")
			return errors.New("command terminated")
		case line := <-lines:
			var q question
			if err := json.Unmarshal(line, &q); err != nil {
				return err
			}
			for _, m := range f.answer(q) {
				raw, _ := json.Marshal(m)
				_, _ = fmt.Fprintf(p.Stdout, "%s\n", raw)
			}
		}
	}
}

func (f *fakePod) answer(q question) []message {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mute {
		return nil
	}
	if q.Op == "manifest" {
		sums := map[string]string{}
		for name, text := range f.files {
			sums[name] = digest([]byte(text))
		}
		return []message{{ID: q.ID, Files: sums, Failed: f.broken}}
	}
	for name, raw := range q.Write {
		if strings.HasSuffix(name, "refused.py") {
			return []message{{ID: q.ID, Error: "No space left on device"}}
		}
		f.files[name] = string(raw)
	}
	for _, name := range q.Delete {
		delete(f.files, name)
	}
	f.change++
	event := message{Event: "serving", Change: f.change, Imported: 0.25}
	if f.broken != "" {
		event = message{Event: "failed", Change: f.change, Traceback: f.broken}
	}
	if f.unused {
		event = message{Event: "unused", Change: f.change}
	}
	if f.slow {
		return []message{{ID: q.ID, Change: f.change}}
	}
	return []message{{ID: q.ID, Change: f.change}, {Event: "serving", Change: 0}, event}
}

func (f *fakePod) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// bench is a service with its checkout, its pod and what was said.
type bench struct {
	*service
	t   *testing.T
	pod *fakePod
	mu  sync.Mutex
	out []string
}

// developed runs a test with a service that is kept up to date.
func developed(t *testing.T, test func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, pod: &fakePod{files: map[string]string{"src/main.py": "one", "src/old.py": "x"}}}
		dir := t.TempDir()
		write(t, dir, "src/main.py", "one")
		write(t, dir, "Dockerfile", "FROM")
		b.service = newService(app.Service{Name: "backend", Develop: app.Develop{Synced: []string{"src"}, Mistake: "it serves on"}}, dir, func(service string, m mark, text string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.out = append(b.out, service+" "+string(m)+" "+text)
		})
		b.save(nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.keep(ctx, b.pod) }()
		synctest.Wait()
		test(b)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}

// save saves files, of which an empty one is deleted, and waits until nothing more happens.
func (b *bench) save(files map[string]string) {
	for name, text := range files {
		if text == "" {
			require.NoError(b.t, os.Remove(filepath.Join(b.tree.dir, name)))
			continue
		}
		write(b.t, b.tree.dir, name, text)
	}
	changed, err := b.tree.scan(func(string) {})
	require.NoError(b.t, err)
	b.take(within(changed, b.Develop.Synced), time.Now())
	synctest.Wait()
}

func (b *bench) has() map[string]string {
	b.pod.mu.Lock()
	defer b.pod.mu.Unlock()
	return maps.Clone(b.pod.files)
}

func (b *bench) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	said := strings.Join(b.out, "\n")
	b.out = nil
	return said
}

func TestAPodGetsWhatItLacksAndLosesWhatIsGone(t *testing.T) {
	developed(t, func(b *bench) {
		assert.Equal(t, map[string]string{"src/main.py": "one"}, b.has(), "and no Dockerfile")
		b.said()
		b.save(map[string]string{"src/main.py": "two", "src/a/b.py": "new"})
		assert.Equal(t, map[string]string{"src/main.py": "two", "src/a/b.py": "new"}, b.has())
		assert.Regexp(t, `^backend ✓ src/a/b.py and 1 more is served after 0\.00 s`, b.said())
		b.save(map[string]string{"src/a/b.py": ""})
		assert.Equal(t, map[string]string{"src/main.py": "two"}, b.has())
		changes := b.pod.change
		b.save(nil)
		assert.Equal(t, changes, b.pod.change, "nothing is sent where nothing changed")
	})
}

func TestASaveBeforeTheLastOneIsServedIsToldWithIt(t *testing.T) {
	developed(t, func(b *bench) {
		b.said()
		b.pod.set(func() { b.pod.slow = true })
		b.save(map[string]string{"src/main.py": "two"})
		assert.Empty(t, b.said())
		b.pod.set(func() { b.pod.slow = false })
		b.save(map[string]string{"src/other.py": "three"})
		assert.Regexp(t, `^backend ✓ src/main.py and 1 more is served after \S+ s \([^\n]*\)$`, b.said())
		b.save(map[string]string{"src/other.py": "four"})
		assert.Regexp(t, `^backend ✓ src/other.py is served`, b.said())
	})
}

func TestWhatNobodyHasAskedForIsNotSaidToBeServed(t *testing.T) {
	developed(t, func(b *bench) {
		b.said()
		b.pod.set(func() { b.pod.unused = true })
		b.save(map[string]string{"src/main.py": "two"})
		assert.Equal(t, "backend   src/main.py is in the pod, and in nothing that a browser has asked for", b.said())
	})
}

func TestAMistakeIsToldAndHeals(t *testing.T) {
	developed(t, func(b *bench) {
		b.said()
		b.pod.set(func() { b.pod.broken = "Traceback\nZeroDivisionError" })
		b.save(map[string]string{"src/main.py": "1/0"})
		assert.Equal(t, "backend ✗ src/main.py does not load; it serves on\n    Traceback\n    ZeroDivisionError", b.said())
		b.pod.set(func() { b.pod.cut() })
		time.Sleep(again)
		synctest.Wait()
		assert.Contains(t, b.said(), "ZeroDivisionError", "whoever connects again is told again")
		b.pod.set(func() { b.pod.broken = "" })
		b.save(map[string]string{"src/main.py": "1"})
		assert.Contains(t, b.said(), "src/main.py is served")
	})
}

func TestAConnectionThatEndsIsMadeAgain(t *testing.T) {
	developed(t, func(b *bench) {
		b.said()
		b.pod.set(func() {
			b.pod.cut()
			b.pod.files = map[string]string{"src/main.py": "of the image"} // the pod is another
			b.pod.gone = errors.New("no pod of it runs")
		})
		b.save(map[string]string{"src/new.py": "meanwhile"})
		time.Sleep(10 * again)
		assert.Regexp(t, `^backend ! the connection ended: command terminated: ConnectionResetError; connecting again\nbackend ! no pod of it runs; connecting again$`,
			b.said(), "each once")
		b.pod.set(func() { b.pod.gone = nil })
		time.Sleep(2 * again)
		assert.Equal(t, map[string]string{"src/main.py": "one", "src/new.py": "meanwhile"}, b.has())
		b.said()
		time.Sleep(10 * time.Minute)
		b.pod.set(func() {
			b.pod.cut()
			b.pod.files = map[string]string{"src/main.py": "of the image"}
		})
		time.Sleep(2 * again)
		assert.Contains(t, b.said(), "serves the code as it is in the checkout", "nothing was saved since")
	})
}

func TestAPodThatDoesNotAnswerIsGivenUp(t *testing.T) {
	developed(t, func(b *bench) {
		b.pod.set(func() { b.pod.mute = true })
		opened := b.pod.opened
		b.save(map[string]string{"src/main.py": "two"})
		time.Sleep(answerPatience + 2*again)
		assert.Greater(t, b.pod.opened, opened)
		assert.Contains(t, b.said(), "it does not answer")
		b.pod.set(func() { b.pod.mute = false })
		time.Sleep(answerPatience + 2*again)
		assert.Equal(t, "two", b.has()["src/main.py"])
		assert.Contains(t, b.said(), "src/main.py is served", "what was saved is told of, whichever pod takes it")
	})
}

func TestWhatAPodCannotTakeIsSaid(t *testing.T) {
	developed(t, func(b *bench) {
		b.said()
		b.save(map[string]string{"src/refused.py": "x"})
		time.Sleep(5 * again)
		assert.Equal(t, "backend ! No space left on device; connecting again", b.said())
	})
}

func TestAnotherRunsDeployEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(app.Service{Name: "backend"}, t.TempDir(), func(string, mark, string) {})
		assert.ErrorIs(t, s.keep(t.Context(), &fakePod{gone: errOver}), errOver)
	})
}
