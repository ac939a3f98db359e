//go:build e2e || bench

package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
)

// innerLoop works on the backend while somebody uses it.
func innerLoop(t *testing.T, project checkout, alice *user) {
	const app = "backend/src/app.py"
	before := running(t).image(t, "todo-backend")
	i := develop(t, copyOf(t, project), "-service=backend")
	failed := watch(t, alice)

	i.replace(t, answerFile, answer, answer+" Second edition.")
	t.Logf("served after %s", i.serves(t, "Second edition"))
	i.replace(t, app, "import asyncio\n", "import asyncio\n1 / 0\n")
	assert.Eventually(t, func() bool { return strings.Contains(i.said(), "ZeroDivisionError") }, devPatience, 20*time.Millisecond)
	assert.Contains(t, i.said(), `File "src/app.py", line`)
	i.serves(t, "Second edition")
	i.replace(t, app, "1 / 0\n", "")
	i.replace(t, answerFile, "Second edition", "Third edition")
	i.serves(t, "Third edition")
	assert.Empty(t, failed())

	history, err := i.at.helm.History(t.Context(), config.ReleaseName)
	require.NoError(t, err)
	last := history[len(history)-1]
	assert.Equal(t, "development mode", last.Description)
	assert.False(t, last.Verified)
	require.NoError(t, i.Process.Signal(syscall.SIGINT))
	require.NoError(t, i.Wait())
	assert.NotRegexp(t, `(?m)^[EWI]\d{4} `, i.said(), "a library's log is nobody's")
	assert.Equal(t, before, i.at.image(t, "todo-backend"))
	i.serves(t, `"`+answer+`"`)

	killed := develop(t, project, "-service=backend")
	require.NoError(t, syscall.Kill(-killed.Process.Pid, syscall.SIGKILL))
	require.Error(t, killed.Wait())
	r := project.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "in development mode, which ends with this")
	assert.Equal(t, before, killed.at.image(t, "todo-backend"))
}
