package operate

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
)

func TestACodeIsMadeInTheClusterWithNothingInAnArgument(t *testing.T) {
	s, out := open(nil, config.Config{})
	var ran kube.Process
	var given []byte
	err := resetPassword(t.Context(), s, "backend-1", "ada@example.com", func(_ context.Context, p kube.Process) (err error) {
		ran = p
		given, err = io.ReadAll(p.Stdin)
		_, _ = io.WriteString(p.Stdout, "7KQ2-M0XD-94RB-TZ3A\n")
		return err
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"python", "-m", "src.reset"}, ran.Command)
	assert.Equal(t, "ada@example.com\n", string(given))
	assert.Equal(t, "backend-1", ran.Pod)
	assert.Contains(t, out.String(), "7KQ2-M0XD-94RB-TZ3A\n")
}

func TestNoCodeIsMadeForNobody(t *testing.T) {
	s, out := open(nil, config.Config{})
	assert.Equal(t, fault.CodeInput, fault.Code(ResetPassword(t.Context(), s.Session, "")))
	err := resetPassword(t.Context(), s, "backend-1", "a@b.c", func(_ context.Context, p kube.Process) error {
		_, _ = io.WriteString(p.Stderr, "{\"message\": \"a line of the log\"}\nthere is no account with this e-mail address\n")
		return errors.New("command terminated with exit code 1")
	})
	require.ErrorContains(t, err, "no code was made: there is no account with this e-mail address")
	assert.Empty(t, out.String())
}
