package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// screen redraws the unfinished top-level tasks at the bottom of a terminal. Finished ones scroll away as ordinary
// text.
type screen struct {
	ui    *UI
	size  func() (width, height int)
	drawn int // lines on the terminal now
	frame int
	once  sync.Once
	quit  chan struct{}
	ended chan struct{}
}

func newScreen(u *UI, size func() (int, int)) *screen {
	return &screen{ui: u, size: size, quit: make(chan struct{}), ended: make(chan struct{})}
}

// begin starts redrawing; later calls do nothing.
func (s *screen) begin() {
	s.once.Do(func() {
		go func() {
			defer close(s.ended)
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-s.quit:
					return
				case <-tick.C:
					s.ui.mu.Lock()
					s.frame++
					s.draw()
					s.ui.mu.Unlock()
				}
			}
		}()
	})
}

func (s *screen) stop() {
	started := true
	s.once.Do(func() { started = false })
	if started {
		close(s.quit)
		<-s.ended
	}
	s.ui.mu.Lock()
	defer s.ui.mu.Unlock()
	s.clear()
}

// clear removes what is drawn. It needs ui.mu, like draw and finish.
func (s *screen) clear() {
	if s.drawn > 0 {
		_, _ = fmt.Fprintf(s.ui.out, "\x1b[%dA\x1b[J", s.drawn)
		s.drawn = 0
	}
}

func (s *screen) draw() {
	width, height := s.size()
	var lines []string
	for _, t := range s.ui.tasks {
		if t.end.IsZero() {
			lines = append(lines, s.ui.style.tree(t, 0, s.frame, width)...)
		}
	}
	if most := max(height-2, 3); len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	s.clear()
	if len(lines) > 0 {
		_, _ = fmt.Fprint(s.ui.out, strings.Join(lines, "\n")+"\n")
	}
	s.drawn = len(lines)
}

// finish prints a finished top-level task for good.
func (s *screen) finish(t *Task) {
	width, _ := s.size()
	s.clear()
	_, _ = fmt.Fprint(s.ui.out, strings.Join(s.ui.style.tree(t, 0, s.frame, width), "\n")+"\n")
}
