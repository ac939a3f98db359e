package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/deploy"
)

// Ai groups the targets that take plain language.
type Ai mg.Namespace

// Ask answers a question about the running application in plain language, and makes the change that it asks for after a yes (ai "what is wrong?").
func (Ai) Ask(ctx context.Context, question string) error {
	return with(ctx, func(a *deploy.App, ctx context.Context) error { return a.Ask(ctx, question) })
}

// Kubectl hands the question to kubectl-ai, where that is installed.
func (Ai) Kubectl(ctx context.Context, question string) error {
	return with(ctx, func(a *deploy.App, ctx context.Context) error { return a.KubectlAI(ctx, question) })
}
