package dashboard

import (
	"context"
	"encoding/json"
	"sync"
)

// kept is how many lines of logs a page that is opened finds.
const kept = 2000

// event is what a page is told.
type event struct {
	id   int64 // greater than those of all before
	name string
	data []byte // JSON
}

// hub keeps what pages are told: the newest of every part of the state, and the last lines. What a slow page has not
// taken by the time it is replaced, it never sees.
type hub struct {
	mu       sync.Mutex
	last     int64
	states   map[string]event
	lines    []event
	troubles map[string]string
	changed  chan struct{} // closed with the next event
	action   chan struct{} // closed with the next action's end
	pages    int
	opened   chan struct{} // closed when the first page is opened
}

func newHub() *hub {
	return &hub{states: map[string]event{}, troubles: map[string]string{}, changed: make(chan struct{}), action: make(chan struct{}), opened: make(chan struct{})}
}

// event makes the next one. It needs h.mu.
func (h *hub) event(name string, data any) event {
	raw, err := json.Marshal(data)
	if err != nil {
		raw = []byte("null") // cannot be: all that is told are plain types
	}
	h.last++
	close(h.changed)
	h.changed = make(chan struct{})
	return event{h.last, name, raw}
}

// state tells of a part of the state, where it is another than before.
func (h *hub) state(name string, data any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if raw, err := json.Marshal(data); err == nil && string(raw) == string(h.states[name].data) {
		return
	}
	h.states[name] = h.event(name, data)
}

// trouble tells that a part of the state is not known, and why, or that it is known again.
func (h *hub) trouble(part string, err error) {
	h.mu.Lock()
	text := ""
	if err != nil {
		text = err.Error()
	}
	same := h.troubles[part] == text
	h.troubles[part] = text
	all := map[string]string{}
	for part, text := range h.troubles {
		if text != "" {
			all[part] = text
		}
	}
	h.mu.Unlock()
	if !same {
		h.state("trouble", all)
	}
}

// line tells of a line.
func (h *hub) line(l Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.lines) == kept {
		h.lines = h.lines[1:]
	}
	h.lines = append(h.lines, h.event("line", l))
}

// since gives what a page that has seen all up to an event has not, and what is closed when there is more.
func (h *hub) since(id int64) (events []event, more <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.states {
		if e.id > id {
			events = append(events, e)
		}
	}
	for _, e := range h.lines {
		if e.id > id {
			events = append(events, e)
		}
	}
	return events, h.changed
}

// newest is the number of the newest event.
func (h *hub) newest() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// acted is closed when an action ends.
func (h *hub) acted() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.action
}

// act tells that an action has ended.
func (h *hub) act() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.action)
	h.action = make(chan struct{})
}

// open counts a page, until the function that it gives is called.
func (h *hub) open() (closed func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pages++; h.pages == 1 {
		close(h.opened)
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.pages--; h.pages == 0 {
			h.opened = make(chan struct{})
		}
	}
}

// watched waits until a page is open. It is false where ctx ends before.
func (h *hub) watched(ctx context.Context) bool {
	h.mu.Lock()
	opened := h.opened
	h.mu.Unlock()
	select {
	case <-ctx.Done():
		return false
	case <-opened:
		return true
	}
}
