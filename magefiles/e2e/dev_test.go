//go:build e2e || bench

package e2e

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// devPatience is how long a busy machine may take for what takes a second at most.
const devPatience = 2 * time.Minute

// inner is a run of dev, which a test ends.
type inner struct {
	*exec.Cmd
	checkout checkout
	at       *deployment

	mu  sync.Mutex
	out bytes.Buffer
}

// Write takes what the run prints.
func (i *inner) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.out.Write(p)
}

func (i *inner) said() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.out.String()
}

// develop runs dev until it watches.
func develop(t *testing.T, c checkout, args ...string) *inner {
	t.Helper()
	i := &inner{checkout: c}
	i.Cmd = c.command(t.Context(), i, nil, append([]string{"dev"}, args...)...)
	require.NoError(t, i.Start())
	t.Cleanup(func() { t.Logf("mage dev\n%s", i.said()) })
	watching := regexp.MustCompile(`(?m)^watching `)
	require.Eventually(t, func() bool { return watching.MatchString(i.said()) }, 8*time.Minute, 50*time.Millisecond)
	i.at = running(t)
	return i
}

// replace saves a file with other text in place of some.
func (i *inner) replace(t *testing.T, name, before, after string) {
	t.Helper()
	path := filepath.Join(i.checkout.dir, name)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(raw), before)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(raw), before, after, 1)), 0o644))
}

// What the API says to somebody who has not logged in, and where that is written. It costs the API nothing.
const answer, answerFile = "Log in first.", "backend/src/auth/dependencies.py"

// serves asks through the ingress until the answer has a text, and gives how long that took.
func (i *inner) serves(t *testing.T, text string) time.Duration {
	t.Helper()
	browser, start := i.at.browser(), time.Now()
	for time.Since(start) < devPatience {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://todo.localhost/api/auth/me", nil)
		require.NoError(t, err)
		res, err := browser.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, errors.Join(err, res.Body.Close()))
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, "%s", body)
		if bytes.Contains(body, []byte(text)) {
			return time.Since(start)
		}
		time.Sleep(5 * time.Millisecond)
	}
	require.FailNow(t, "it is not served", "%q within %s", text, devPatience)
	return 0
}
