//go:build bench

package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// saves is how often a file is saved for a measurement.
const saves = 30

// savedToServed measures how long it takes from a saved file of the backend to what it changes, through the ingress.
func savedToServed(t *testing.T, project checkout) []weight {
	i := develop(t, copyOf(t, project))
	before := "Todo API"
	var took []time.Duration
	for n := range saves {
		after := fmt.Sprintf("Todo API, edition %d.", n)
		i.replace(t, "backend/src/app.py", `title="`+before+`"`, `title="`+after+`"`)
		took = append(took, i.serves(t, after))
		before = after
		time.Sleep(time.Second) // people save no faster; what is over is cleared up meanwhile
	}
	require.NoError(t, i.Process.Signal(syscall.SIGINT))
	require.NoError(t, i.Wait())
	slices.Sort(took)
	t.Logf("saved to served: %v", took)
	assert.LessOrEqual(t, took[saves/2], 700*time.Millisecond)
	assert.LessOrEqual(t, took[saves*95/100], time.Second)
	return []weight{
		most("dev: from a saved file of the backend to what it changes, median", milliseconds(took[saves/2]), 700, "ms"),
		most("dev: the same, p95", milliseconds(took[saves*95/100]), 1000, "ms"),
	}
}
