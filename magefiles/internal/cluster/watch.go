package cluster

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/postmortem"
	"todo.local/magefiles/internal/ui"
)

const (
	// pulse is how often it is looked whether a node that comes up still runs.
	pulse = time.Second
	// firstLook is the pulse at which the node is asked how it does for the first time, and look how many pulses
	// there are from one time to the next. A node that comes up well on a machine with time is never asked.
	firstLook, look = 8, 2
)

// keeper looks after one node, which is a container of the engine: whether it comes up, why it does not, and whether
// its creation was ever completed.
type keeper struct {
	docker    *engine.Docker
	node      string
	diagnoses string // folder for the evidence of a node that does not come up
	layer     string // folder of the node's own file system where the mark of completion is
	pulse     time.Duration
	inspect   func(context.Context) (*engine.Container, error) // the node, or nil where there is none
}

// hopeless is a node that will not come up however long one waits.
type hopeless struct{ why string }

func (h hopeless) Error() string { return h.why }

// watch looks after a node that is coming up until ctx ends. It mends what it can, and calls giveUp once there is no
// hope: the node has ended, or the same lasting cause was seen twice. Where giveUp is nil, whoever brings the node up
// knows by himself when to stop.
func (k keeper) watch(ctx context.Context, t *ui.Task, giveUp func(error)) {
	tick := time.NewTicker(k.pulse)
	defer tick.Stop()
	var seen string
	mended := map[string]bool{}
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if giveUp != nil && k.hasEnded(ctx) {
			giveUp(hopeless{"its node has ended"})
			return
		}
		if n < firstLook || (n-firstLook)%look != 0 {
			continue
		}
		cause := postmortem.Look(ctx, k.docker, k.node, nil).Cause()
		switch {
		case ctx.Err() != nil:
			return
		case cause.Mend != nil && !mended[cause.What]:
			mended[cause.What] = true
			k.mend(ctx, t, cause)
		case cause.Final && cause.What == seen && giveUp != nil:
			giveUp(hopeless{cause.What})
			return
		}
		seen = ""
		if cause.Final {
			seen = cause.What
		}
	}
}

func (k keeper) hasEnded(ctx context.Context) bool {
	c, err := k.inspect(ctx)
	return err == nil && c != nil && !c.Runs()
}

func (k keeper) mend(ctx context.Context, t *ui.Task, cause postmortem.Cause) {
	if _, err := k.docker.Exec(ctx, k.node, cause.Mend...); err == nil {
		t.Note("%s; mended in the node", cause.What)
	}
}

// explain is the failure of a node in one line, with its cause and the remedy. The evidence is kept.
func (k keeper) explain(ctx context.Context, t *ui.Task, what string, failure error) error {
	var beyond hopeless
	if errors.As(failure, &beyond) {
		failure = nil // it was found in what is looked at again, and is no evidence of its own
	}
	cause := k.evidence(ctx, t, failure)
	if cause.What == "" {
		cause.What = beyond.why
	}
	return fault.New(cause.Code, what+": "+cause.What, cause.Remedy+"; then run the target again")
}

// evidence keeps what the engine and the node say, and gives the cause that it tells of.
func (k keeper) evidence(ctx context.Context, t *ui.Task, failure error) postmortem.Cause {
	t.Status("looking for the cause")
	evidence := postmortem.Look(ctx, k.docker, k.node, failure)
	cause := evidence.Cause()
	dir := filepath.Join(k.diagnoses, time.Now().Format("20060102-150405"))
	if err := evidence.Save(dir, cause); err != nil {
		t.Note("the evidence is incomplete: %v", err)
	}
	t.Note("what the Docker engine and the node said is saved in %s", dir)
	return cause
}

// awaitContainerd waits until the node's containerd answers. It may be configured before it
// has started, on a machine with much to do.
func (k keeper) awaitContainerd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_, err := k.docker.Exec(ctx, k.node, "sh", "-c", "until ctr version >/dev/null 2>&1; do sleep 0.1; done")
	return err
}
