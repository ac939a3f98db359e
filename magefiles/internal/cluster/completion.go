package cluster

import (
	"context"
	"errors"
	"fmt"

	"todo.local/magefiles/internal/engine"
)

// errIncomplete is the answer of a running node that its creation was never completed. Nothing else may lead to the
// deletion of a cluster that was not asked for: whatever else is wrong with a node, it may hold a database.
var errIncomplete = errors.New("the cluster was never completed")

// completion asks a node whether its creation was completed. The mark is in two places, as the volume could come up
// empty and the node's own file system not. A folder that cannot be read is no answer.
const completion = `set -e
ls "$0" "$1" >/dev/null
if [ -e "$0"` + readyMark + ` ] || [ -e "$1"` + readyMark + ` ]; then echo complete; else echo incomplete; fi`

// complete tells whether the creation of the node was completed. That it was not is only said where the node said so
// itself, twice, and ran the whole time.
func (k keeper) complete(ctx context.Context) (bool, error) {
	ask := func() (string, error) {
		return k.docker.Exec(ctx, k.node, "sh", "-c", completion, readyDir, k.layer)
	}
	word, err := ask()
	if err != nil {
		return false, err
	}
	if word == "incomplete" {
		before, err := k.inspect(ctx)
		if err != nil {
			return false, err
		}
		if word, err = ask(); err != nil {
			return false, err
		}
		after, err := k.inspect(ctx)
		if err != nil {
			return false, err
		}
		if !sameLife(before, after) {
			return false, errors.New("its node ended while it was asked whether its creation was completed")
		}
	}
	if word != "complete" && word != "incomplete" {
		return false, fmt.Errorf("its node does not tell whether its creation was completed: it answers %q", word)
	}
	return word == "complete", nil
}

// sameLife tells whether two looks at a node saw it running, and not started anew between them.
func sameLife(a, b *engine.Container) bool {
	return a != nil && b != nil && a.ID == b.ID && a.Runs() && b.Runs() && a.Started().Equal(b.Started())
}
