package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/devtest"
	"todo.local/magefiles/internal/operate"
	"todo.local/magefiles/internal/session"
)

// Ai groups the targets that take plain language.
type Ai mg.Namespace

// Ask answers a question about the running application in plain language, and makes the change that it asks for after a
// yes (ai "what is wrong?").
func (Ai) Ask(ctx context.Context, question string) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return operate.Ask(ctx, s, question) })
}

// Install builds kubectl-ai and the kubectl that it calls, and keeps them in the cache.
func (Ai) Install(ctx context.Context) error { return with(ctx, operate.InstallKubectlAI) }

// Kubectl hands the question to kubectl-ai, which looks at the namespace and reads no Secret; with -change it also
// scales and restarts.
func (Ai) Kubectl(ctx context.Context, question string, change *bool) error {
	return with(ctx, func(ctx context.Context, s session.Session) error {
		return operate.KubectlAI(ctx, s, question, given(change))
	})
}

// Audit shows what assistants were asked, read, proposed and did, and whether anybody has changed that since.
func (Ai) Audit(ctx context.Context) error { return with(ctx, operate.Audit) }

// Mcp offers the assistant's tools to a client of the Model Context Protocol, on standard input and output or with
// -port=N over HTTP.
func (Ai) Mcp(ctx context.Context, port *int) error {
	return with(ctx, func(ctx context.Context, s session.Session) error { return operate.MCP(ctx, s, given(port)) })
}

// Bench measures how many faults the assistant names and what it can be talked into, and writes docs/ai-bench.md.
func (Ai) Bench(ctx context.Context) error { return with(ctx, devtest.AIBench) }
