package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
)

func TestMinikubeDoesNotPassOnTheAdviceToDelete(t *testing.T) {
	w, m := newMinikube(t)
	minikubeUp(t, m)
	w.write(t, "host", "Stopped")
	w.write(t, "fail-start", `{"type":"io.k8s.sigs.minikube.error","data":{"advice":"Run: \"minikube delete -p x\", then \"minikube start\"","message":"the reason why"}}`+"\n")
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.ErrorContains(t, err, "the reason why")
	assert.NotContains(t, fault.Remedy(err), "delete")
}

func TestMinikubeInterruptedStart(t *testing.T) {
	interrupted := func(t *testing.T) (*minikubeWorld, *Minikube) {
		w, m := newMinikube(t)
		w.write(t, "hang", "")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for ctx.Err() == nil {
				if _, err := os.Stat(filepath.Join(w.state, "hang")); err != nil {
					cancel()
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
		_, err := m.Up(ctx, nil, source.Node{}, func() {})
		require.ErrorIs(t, err, context.Canceled)
		assert.True(t, m.Made(), "what was begun is this project's to go on with")
		w.calls(t)
		return w, m
	}
	t.Run("the next one goes on", func(t *testing.T) {
		w, m := interrupted(t)
		minikubeUp(t, m)
		assert.Equal(t, making, w.calls(t))
	})
	t.Run("or begins anew, where the node says that it was never completed", func(t *testing.T) {
		w, m := interrupted(t)
		w.incomplete = "incomplete"
		minikubeUp(t, m)
		assert.Equal(t, append([]string{making[0], "delete"}, making[1:]...), w.calls(t))
	})
	t.Run("also where that shows later", func(t *testing.T) {
		w, m := interrupted(t)
		w.docker.OnFunc("docker exec x sh -c", func() func(c run.Cmd) (string, error) {
			asked := 0
			return func(run.Cmd) (string, error) {
				if asked++; asked == 1 {
					return "", errors.New("container is not running")
				}
				return "incomplete", nil
			}
		}())
		w.write(t, "fail-start", "")
		minikubeUp(t, m)
		assert.Equal(t, append([]string{making[0], firstCall, "delete"}, making[1:]...), w.calls(t))
	})
	t.Run("but never one that was completed, or that does not tell", func(t *testing.T) {
		for _, answer := range []string{"complete", "", "what?"} {
			w, m := interrupted(t)
			w.incomplete = answer
			w.write(t, "fail-start", "")
			_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
			require.ErrorContains(t, err, "does not start")
			assert.Regexp(t, "^run the target again.*never completed.*cluster:delete deploy", fault.Remedy(err))
			assert.Equal(t, making[:2], w.calls(t))
			assert.True(t, m.Made())
		}
	})
	t.Run("or deletes it", func(t *testing.T) {
		w, m := interrupted(t)
		require.NoError(t, m.Delete(t.Context(), nil))
		assert.Equal(t, []string{making[0], "delete"}, w.calls(t))
		assert.False(t, m.Made())
	})
}

func TestMinikubeThatCannotStartSaysWhy(t *testing.T) {
	w, m := newMinikube(t)
	w.write(t, "fail-start", `{"type":"io.k8s.sigs.minikube.step","data":{"message":"minikube v1.37.0"}}
{"type":"io.k8s.sigs.minikube.error","data":{"advice":"Start minikube with less memory allocated","exitcode":"23","message":"Docker Desktop has only 1977MB memory\nbut you specified 4096MB","name":"RSRC_OVER_ALLOC_MEM"}}
`)
	_, err := m.Up(t.Context(), nil, source.Node{}, func() {})
	require.EqualError(t, err, "minikube profile x does not start: Docker Desktop has only 1977MB memory but you specified 4096MB")
	assert.Contains(t, fault.Remedy(err), "less memory")
	assert.Equal(t, making[:2], w.calls(t), "a first start that fails is not repeated")
}

func TestMinikubeCommandsThatFailAreOneLineWithARemedy(t *testing.T) {
	for command, call := range map[string]func(context.Context, *Minikube) error{
		"status": func(ctx context.Context, m *Minikube) error { _, err := m.State(ctx); return err },
		"ip":     func(ctx context.Context, m *Minikube) error { _, err := m.Access(ctx); return err },
		"stop":   func(ctx context.Context, m *Minikube) error { return m.Down(ctx, nil) },
		"delete": func(ctx context.Context, m *Minikube) error { return m.Delete(ctx, nil) },
		"update-context": func(ctx context.Context, m *Minikube) error {
			if err := os.Remove(m.Kubeconfig); err != nil {
				return err
			}
			_, err := m.Access(ctx)
			return err
		},
	} {
		t.Run(command, func(t *testing.T) {
			w, m := newMinikube(t)
			minikubeUp(t, m)
			w.unpublished = true
			w.write(t, "fail-"+command, "* advice in a box\nX Exiting due to GUEST_STATUS: the reason why\n* more advice\n")
			err := call(t.Context(), m)
			require.ErrorContains(t, err, "the reason why")
			assert.NotContains(t, err.Error(), "\n")
			assert.Equal(t, fault.CodeCluster, fault.Code(err))
			assert.Contains(t, fault.Remedy(err), "TODO_CLUSTER=kind")
			assert.True(t, m.Made(), "what could not be deleted is still this project's")
		})
	}
}
