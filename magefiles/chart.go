package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/devtest"
)

// Chart groups the targets for the Helm charts.
type Chart mg.Namespace

// Lint checks every chart as helm lint does.
func (Chart) Lint(ctx context.Context) error { return with(ctx, devtest.LintCharts) }

// Render prints the manifests that deploy would install, without secrets.
func (Chart) Render(ctx context.Context) error { return with(ctx, deploy.Render) }
