//go:build bench

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/devtest"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// openPage is a page that stays open in a browser.
type openPage struct {
	mu    sync.Mutex
	shows []shown
}

// shown is what it is said to show.
type shown struct {
	Heading, Email string
	Loads          int
	at             time.Time
}

// Write takes what the browser's test prints.
func (p *openPage) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(string(text)) {
		s := shown{at: time.Now()}
		if json.Unmarshal([]byte(line), &s) == nil {
			p.shows = append(p.shows, s)
		}
	}
	return len(text), nil
}

// open opens the login in a browser, with an address in its form.
func open(t *testing.T) *openPage {
	t.Helper()
	p := &openPage{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = devtest.KeepOpen(ctx, session.New(settings(t), ui.Plain(p))) // ends with ctx
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	p.awaits(t, "Welcome back", 5*time.Minute) // the browser's image may have to be built
	return p
}

// awaits waits until the page shows a heading, and gives when it did.
func (p *openPage) awaits(t *testing.T, heading string, patience time.Duration) time.Time {
	t.Helper()
	var found shown
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, s := range p.shows {
			if s.Heading == heading {
				found = s
				return true
			}
		}
		return false
	}, patience, 5*time.Millisecond, "the page shows %q", heading)
	assert.Equal(t, "kept@example.com", found.Email, "what was typed is kept")
	assert.Equal(t, 1, found.Loads, "the page was not loaded anew")
	return found.at
}

// savedToShown works on the pages while one is open, and gives in order how long that took to show what was saved.
func savedToShown(t *testing.T, i *inner) (took []time.Duration) {
	const form = "frontend/src/features/auth/components/auth-form.tsx"
	page, before := open(t), "Welcome back"
	for n := range saves {
		after := fmt.Sprintf("Welcome back, edition %d", n)
		i.replace(t, form, `"`+before+`"`, `"`+after+`"`)
		saved := time.Now()
		took = append(took, page.awaits(t, after, devPatience).Sub(saved))
		before = after
		time.Sleep(time.Second)
	}
	slices.Sort(took)
	t.Logf("saved to shown: %v", took)
	assert.LessOrEqual(t, took[saves/2], 500*time.Millisecond)
	return took
}
