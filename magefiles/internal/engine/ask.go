package engine

import (
	"context"
	"fmt"
	"time"

	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/words"
)

// answerLimit is how long the engine may take for what it answers at once. The longest is to stop a container, in half
// a minute.
const answerLimit = 2 * time.Minute

// Refusal is a question that the engine did not answer as it should: it was not reached, or cannot do what was asked.
type Refusal struct {
	Asked string // such as "start NAME", as the command of docker that asks the same
	Said  string // what Err says, without secrets
	Err   error
}

// Error says what was asked for and why it failed.
func (r *Refusal) Error() string {
	return fmt.Sprintf("docker %s: %s", words.Short(r.Asked, 120), words.Short(r.Said, 400))
}

// Unwrap gives the cause, in which package errdefs tells kinds apart.
func (r *Refusal) Unwrap() error { return r.Err }

// ask has the engine answer a question that takes it no time to speak of.
func (d *Docker) ask(ctx context.Context, question string, answer func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	err := answer(bounded)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return hangs(answerLimit)
	}
	return d.refusal(ctx, question, err)
}

// refusal makes an error of the interface one of this package. What the engine says may name a secret.
func (d *Docker) refusal(ctx context.Context, question string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return &Refusal{run.Redact(d.Runner, question), run.Redact(d.Runner, err.Error()), err}
}
