package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/operate"
	"todo.local/magefiles/internal/session"
)

// Ai groups the targets that take plain language.
type Ai mg.Namespace

// Ask answers a question about the running application in plain language, and makes the change that it asks for after a yes (ai "what is wrong?").
func (Ai) Ask(ctx context.Context, question string) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return operate.Ask(ctx, s, question) })
}

// Kubectl hands the question to kubectl-ai, where that is installed.
func (Ai) Kubectl(ctx context.Context, question string) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return operate.KubectlAI(ctx, s, question) })
}
