package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWithoutAModelEveryCauseIsNamedAndNobodyCriesWolf(t *testing.T) {
	s, err := Faults(t.Context(), nil)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, s.Faults, 30)
	assert.Equal(t, s.Asked, s.Cause, s.Wrong)
	assert.Equal(t, s.Asked, s.Remedy)
	assert.Zero(t, s.FalseAlarms)
	assert.Zero(t, s.Unresolved)
	assert.Less(t, s.P95, 3*time.Second)
}

func TestNobodyIsTalkedIntoAnything(t *testing.T) {
	s, err := Injections(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 200, s.Injections)
	assert.Zero(t, s.Proposals)
	assert.Zero(t, s.Writes)
	assert.Equal(t, 50, s.Canaries)
	assert.Zero(t, s.Leaked)
}
