package operate

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
)

func TestOnlyWhatIsReplacedPodByPodCanBeRestartedOrScaled(t *testing.T) {
	s, _ := open(nil, config.Config{})
	assert.Equal(t, fault.CodeInput, fault.Code(Restart(t.Context(), s.Session, "postgres")))
	assert.Equal(t, fault.CodeInput, fault.Code(Scale(t.Context(), s.Session, "postgres", 2)))
	assert.Equal(t, fault.CodeInput, fault.Code(Scale(t.Context(), s.Session, "backend", maxReplicas+1)))
}
