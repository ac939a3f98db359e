package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/deploy"
)

// Test groups the tests.
type Test mg.Namespace

// All runs every test: unit, chart, then end to end on a cluster of its own.
func (Test) All(ctx context.Context) error { return with(ctx, (*deploy.App).TestAll) }

// Unit runs the unit tests of the automation and, in containers, of the backend and the frontend.
func (Test) Unit(ctx context.Context) error { return with(ctx, (*deploy.App).TestUnit) }

// Chart lints the charts and checks what they render: against golden files, the schemas of every supported Kubernetes, and kube-score.
func (Test) Chart(ctx context.Context) error { return with(ctx, (*deploy.App).TestChart) }

// Smoke checks the deployed application through its ingress, as a user would use it.
func (Test) Smoke(ctx context.Context) error { return with(ctx, (*deploy.App).TestSmoke) }

// E2e deploys to a cluster of its own and tests the whole there, failures included.
func (Test) E2e(ctx context.Context) error { return with(ctx, (*deploy.App).TestE2e) }
