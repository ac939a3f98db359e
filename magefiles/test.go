package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/devtest"
	"todo.local/magefiles/internal/session"
)

// Test groups the tests.
type Test mg.Namespace

// All runs every test: lint, unit, chart, images, then end to end on a cluster of its own, in a minikube, and on a
// current Docker engine.
func (Test) All(ctx context.Context) error { return with(ctx, devtest.All) }

// Lint checks the Go code and the workflows.
func (Test) Lint(ctx context.Context) error { return with(ctx, devtest.Lint) }

// Unit runs the unit tests of the automation and, in containers, of the backend and the frontend.
func (Test) Unit(ctx context.Context) error { return with(ctx, devtest.Unit) }

// Chart lints the charts and checks what they render: against golden files, the schemas of every supported Kubernetes,
// and kube-score.
func (Test) Chart(ctx context.Context) error { return with(ctx, devtest.Chart) }

// Images runs the images from compose.yaml, without Kubernetes, and checks how they run.
func (Test) Images(ctx context.Context) error { return with(ctx, devtest.Images) }

// Smoke checks the deployed application through its ingress, as a user would use it.
func (Test) Smoke(ctx context.Context) error { return with(ctx, deploy.Smoke) }

// Browser uses the deployed application in a real browser, through its ingress (-slowdown=6: with a sixth of the
// processor).
func (Test) Browser(ctx context.Context, slowdown *int) error {
	factor := 1
	if slowdown != nil {
		factor = *slowdown
	}
	return with(ctx, func(ctx context.Context, s session.Session) error { return devtest.Browser(ctx, s, factor) })
}

// Lighthouse has the pages of the deployed application judged, in .cache/lighthouse.
func (Test) Lighthouse(ctx context.Context) error { return with(ctx, devtest.Lighthouse) }

// Dashboard uses the dashboard of the deployed application in a real browser.
func (Test) Dashboard(ctx context.Context) error { return with(ctx, devtest.Dashboard) }

// E2e deploys to a cluster of its own and tests the whole there, failures included.
func (Test) E2e(ctx context.Context) error { return with(ctx, devtest.E2e) }

// Minikube deploys to a real minikube, as root and as a user, and goes through the life of a deployment there.
func (Test) Minikube(ctx context.Context) error { return with(ctx, devtest.Minikube) }

// Slow uses the application twenty times in a browser with a sixth of the processor, on a cluster of its own that is
// busy otherwise; no run may fail.
func (Test) Slow(ctx context.Context) error { return with(ctx, devtest.Slow) }

// Engines deploys on the machine's Docker engine and on a current one beside it, each with a cluster of its own.
func (Test) Engines(ctx context.Context) error { return with(ctx, devtest.Engines) }

// Soak ends deploys with SIGKILL at twenty random moments, on a cluster of its own; the deploy after each has to
// succeed.
func (Test) Soak(ctx context.Context) error { return with(ctx, devtest.Soak) }

// Worlds runs what takes long: clusters that cannot be made, each for a reason that has to be named, and a deploy
// behind a proxy that inspects TLS.
func (Test) Worlds(ctx context.Context) error { return with(ctx, devtest.Worlds) }
