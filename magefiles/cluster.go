package main

import (
	"context"

	"github.com/magefile/mage/mg"

	"todo.local/magefiles/internal/deploy"
)

// Cluster groups the targets for the cluster alone.
type Cluster mg.Namespace

// Up makes the cluster, or starts it, with its ingress controller.
func (Cluster) Up(ctx context.Context) error { return with(ctx, deploy.ClusterUp) }

// Down stops the cluster and keeps its data.
func (Cluster) Down(ctx context.Context) error { return with(ctx, deploy.ClusterDown) }

// Delete removes the cluster with everything in it, the database included.
func (Cluster) Delete(ctx context.Context) error { return with(ctx, deploy.ClusterDelete) }
