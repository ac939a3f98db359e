package cluster

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// revive brings an existing node back: it starts it, waits for the API server, and restarts it once where that does
// not come.
func (k *Kind) revive(ctx context.Context, t *ui.Task, c *engine.Container) (Access, error) {
	a, err := k.start(ctx, t, c)
	if err == nil || ctx.Err() != nil || errors.Is(err, errIncomplete) {
		return a, err
	}
	var f *fault.Error
	errors.As(k.keeper().explain(ctx, t, k.Name()+" does not come up", err), &f)
	f.Remedy += ". Nothing was deleted: go tool mage cluster:delete would remove the cluster with its database"
	return Access{}, f
}

func (k *Kind) start(ctx context.Context, t *ui.Task, c *engine.Container) (Access, error) {
	t.Status("starting the node")
	var err error
	switch c.State.Status {
	case container.StateRunning:
		t.Status("restarting the node")
	case container.StatePaused:
		err = k.Docker.Unpause(ctx, k.node())
	default:
		err = k.Docker.Start(ctx, k.node())
	}
	if err != nil {
		return Access{}, portTaken(err)
	}
	if complete, err := k.keeper().complete(ctx); err != nil {
		return Access{}, err
	} else if !complete {
		return Access{}, errIncomplete
	}
	a, err := k.await(ctx, t, c, time.Minute)
	var beyond hopeless
	if err != nil && ctx.Err() == nil && !errors.As(err, &beyond) {
		t.Note("%s does not answer; restarting its node", k.Name())
		if err := k.Docker.Restart(ctx, k.node()); err != nil {
			return Access{}, err
		}
		a, err = k.await(ctx, t, c, 2*time.Minute)
	}
	if err != nil {
		return Access{}, err
	}
	t.Result("%s was stopped and runs again", k.Name())
	if c, err = k.inspect(ctx); err != nil || c == nil {
		return a, err
	}
	return a, a.awake(ctx, t, c.Started())
}

// portTaken says of a stopped node's ports what the engine's own explanation does not: they are part of it, and
// cannot be chosen anew.
func portTaken(err error) error {
	text := err.Error()
	if !strings.Contains(text, "port is already allocated") && !strings.Contains(text, "address already in use") {
		return err
	}
	return fault.New(fault.CodeEnvironment, "a port of it is taken: "+text, "end the program that has it (go tool mage doctor names it)")
}

// await waits until the API server of a node that was started is ready, at most as long as told, and no longer than
// there is hope.
func (k *Kind) await(ctx context.Context, t *ui.Task, c *engine.Container, most time.Duration) (Access, error) {
	a, err := k.exportKubeconfig(ctx, c)
	if err != nil {
		return a, err
	}
	waiting, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	go k.keeper().watch(waiting, t, giveUp)
	err = a.WaitReady(waiting, most)
	if cause := context.Cause(waiting); err != nil && ctx.Err() == nil && cause != nil {
		err = cause
	}
	return a, err
}
