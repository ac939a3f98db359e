package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/deploy"
)

// Chart groups the targets for the Helm charts.
type Chart mg.Namespace

// Lint checks every chart as helm lint does.
func (Chart) Lint(ctx context.Context) error { return with(ctx, (*deploy.App).LintCharts) }

// Render prints the manifests that deploy would install, without secrets.
func (Chart) Render(ctx context.Context) error { return with(ctx, (*deploy.App).RenderChart) }
