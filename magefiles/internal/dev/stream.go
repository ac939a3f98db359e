package dev

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"todo.local/magefiles/internal/kube"
)

// answerPatience is how long a pod may take to answer: it only writes files.
const answerPatience = 15 * time.Second

// mostOfALine bounds a message; the longest is the code of a whole service.
const mostOfALine = 64 << 20

// message is what pods say: answers have the id of their question, events say what became of a change.
type message struct {
	ID     int               `json:"id"`
	Error  string            `json:"error"`
	Files  map[string]string `json:"files"`
	Failed string            `json:"failed"`
	Change int               `json:"change"`

	Event     string  `json:"event"` // serving, failed or unused
	Imported  float64 `json:"imported"`
	Traceback string  `json:"traceback"`
}

// question is what pods are asked.
type question struct {
	ID     int               `json:"id"`
	Op     string            `json:"op"` // manifest or apply
	Write  map[string][]byte `json:"write,omitempty"`
	Delete []string          `json:"delete,omitempty"`
}

// stream is the connection to a process in a pod that takes changes in. The messages are described where they are
// answered: backend/develop/supervisor.py and frontend/runtime/develop.mjs.
type stream struct {
	in      io.Writer
	answers chan message
	events  chan message
	ended   chan struct{}
	err     error // why it ended
	asked   int
}

// errSilent is of a process that does not answer.
var errSilent = errors.New("it does not answer")

// open starts the process and keeps the connection until ctx ends.
func open(ctx context.Context, exec func(context.Context, kube.Process) error, p kube.Process) *stream {
	fromHere, in := io.Pipe()
	fromPod, out := io.Pipe()
	var said strings.Builder // read once the process has ended
	p.Stdin, p.Stdout, p.Stderr = fromHere, out, &said
	s := &stream{in: in, answers: make(chan message), events: make(chan message, 64), ended: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.read(ctx, fromPod)
	}()
	go func() {
		err := exec(ctx, p)
		if text := strings.TrimSpace(said.String()); err != nil && text != "" {
			err = fmt.Errorf("%w: %s", err, text[strings.LastIndexByte(text, '\n')+1:])
		}
		if err == nil {
			err = io.EOF
		}
		_ = out.CloseWithError(io.EOF)
		_ = fromHere.CloseWithError(io.ErrClosedPipe)
		<-read
		s.err = err
		close(s.ended)
	}()
	return s
}

func (s *stream) read(ctx context.Context, from io.ReadCloser) {
	defer func() { _ = from.Close() }()
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, mostOfALine)
	for lines.Scan() {
		var m message
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue // not one of the protocol's: somebody printed
		}
		to := s.answers
		if m.Event != "" {
			to = s.events
		}
		select {
		case to <- m:
		case <-ctx.Done():
			return
		}
	}
}

// manifest gives the digests of what the pod has, and why that does not load, where it does not.
func (s *stream) manifest(ctx context.Context) (files map[string]string, failed string, err error) {
	m, err := s.ask(ctx, question{Op: "manifest"})
	return m.Files, m.Failed, err
}

// apply has the pod write and delete files, and gives the number of the change, of which an event tells more.
func (s *stream) apply(ctx context.Context, write map[string][]byte, remove []string) (change int, err error) {
	m, err := s.ask(ctx, question{Op: "apply", Write: write, Delete: remove})
	return m.Change, err
}

func (s *stream) ask(ctx context.Context, q question) (message, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, answerPatience, errSilent)
	defer cancel()
	s.asked++
	q.ID = s.asked
	raw, err := json.Marshal(q)
	if err != nil {
		return message{}, err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := s.in.Write(append(raw, '\n'))
		sent <- err
	}()
	for {
		select {
		case err := <-sent:
			if err != nil {
				return message{}, err
			}
			sent = nil
		case m := <-s.answers:
			if m.ID != q.ID {
				continue
			}
			if m.Error != "" {
				return m, errors.New(m.Error)
			}
			return m, nil
		case <-s.ended:
			return message{}, fmt.Errorf("the connection ended: %w", s.err)
		case <-ctx.Done():
			return message{}, context.Cause(ctx)
		}
	}
}
