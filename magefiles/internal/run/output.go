package run

import (
	"bytes"
	"strings"
	"sync"
)

// tail keeps the last max bytes written to it.
type tail struct {
	mu  sync.Mutex
	max int
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - t.max; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

// Lines hands whole lines of what is written to Emit, where there is one. Two streams may write to it at once.
type Lines struct {
	Emit func(string)
	mu   sync.Mutex
	part []byte
}

// Write emits the lines that are whole.
func (w *Lines) Write(p []byte) (int, error) {
	if w.Emit == nil {
		return len(p), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.part = append(w.part, p...)
	for {
		i := bytes.IndexByte(w.part, '\n')
		if i < 0 {
			return len(p), nil
		}
		w.Emit(strings.TrimRight(string(w.part[:i]), "\r"))
		w.part = w.part[i+1:]
	}
}

// Flush emits what no line break ended.
func (w *Lines) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Emit != nil && len(w.part) > 0 {
		w.Emit(string(w.part))
		w.part = nil
	}
}
