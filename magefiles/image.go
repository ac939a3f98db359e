package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/deploy"
)

// Image groups the targets for the application's images.
type Image mg.Namespace

// Build builds the images whose content changed.
func (Image) Build(ctx context.Context) error { return with(ctx, deploy.BuildImages) }

// Load builds the images and brings what the cluster lacks into it.
func (Image) Load(ctx context.Context) error { return with(ctx, deploy.LoadImages) }
