package deploy

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttest "k8s.io/client-go/testing"
)

func TestARotationWithAGoodVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := w.password()
		require.NoError(t, w.run("1", true))
		w.serves()
		assert.NotEqual(t, before, w.password())
		assert.True(t, w.last().verified)
		assert.Equal(t, []string{"write Secret", "ALTER ROLE", "write Secret", "upgrade", "rollout", "smoke test", "verdict"}, w.names)
	})
}

// The version is taken back, the rotation is not: the database knows no other password any more.
func TestARotationWithABadVersion(t *testing.T) {
	for name, bad := range map[string]func(*world){
		"that does not come up":                  func(w *world) { w.broken = true },
		"that comes up and does not do its work": func(w *world) { w.wrong = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				before := w.password()
				bad(w)
				require.Error(t, w.run("2", true))
				w.serves()
				assert.NotEqual(t, before, w.password())
				assert.Equal(t, "1", w.last().version, "the last good version is back")

				w.broken, w.wrong = false, false
				require.NoError(t, w.run("3", false))
				w.serves()
				assert.True(t, w.last().verified)
			})
		})
	}
}

func TestASettingThatIsTakenBackRestartsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.broken, w.openAI = true, "of a model"
		before := w.secret()
		require.Error(t, w.run("2", false))
		w.serves()
		assert.Equal(t, before, w.secret())
		assert.Equal(t, []string{"write Secret", "upgrade", "rollout", "write Secret", "rollback", "rollout"}, w.names)
	})
}

// everyStep runs a deploy that fails at its first step, then one that fails at its second, and so on to the last.
func everyStep(t *testing.T, kill bool, try func(t *testing.T, w *world)) {
	for _, after := range []bool{false, true} {
		for n, done := 1, false; !done; n++ {
			t.Run(fmt.Sprintf("step %d, which takes effect: %t", n, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.fails[n] = failure{after: after, kill: kill}
					try(t, w)
					done = w.steps < n
				})
			})
			require.Less(t, n, 30)
		}
	}
}

func TestWhateverFailsOnceDuringARotationThePodsWork(t *testing.T) {
	everyStep(t, false, func(t *testing.T, w *world) {
		before := w.password()
		err := w.run("2", true)
		w.serves()
		w.fails = nil
		if err != nil {
			require.NoError(t, w.run("2", false), "%v", w.names)
			w.serves()
		}
		assert.Equal(t, "2", w.last().version)
		assert.True(t, w.last().verified)
		if w.names[0] != "write Secret" || err == nil { // where that failed, no rotation was begun
			assert.NotEqual(t, before, w.password())
		}
	})
}

func TestARotationThatIsKilledIsFinishedByTheNextDeploy(t *testing.T) {
	for name, broken := range map[string]bool{"of a good version": false, "of a bad version": true} {
		t.Run(name, func(t *testing.T) {
			everyStep(t, true, func(t *testing.T, w *world) {
				w.broken = broken
				_ = w.run("2", true)
				w.fails, w.broken = nil, false
				staged := len(w.secret()) > 3
				rotated := w.password()
				require.NoError(t, w.run("3", false), "%v", w.names)
				w.serves()
				assert.Len(t, w.secret(), 3, "nothing is left to do")
				assert.Equal(t, "3", w.last().version)
				assert.True(t, w.last().verified)
				if staged {
					assert.NotEqual(t, rotated, w.password())
				}
			})
		})
	}
}

func TestADatabaseThatDoesNotRunIsToldLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		before := w.password()
		ready, err := w.client.CoreV1().Pods(namespace).Get(t.Context(), databasePod, metav1.GetOptions{})
		require.NoError(t, err)
		require.NoError(t, w.client.CoreV1().Pods(namespace).Delete(t.Context(), databasePod, metav1.DeleteOptions{}))
		w.client.PrependReactor("get", "pods", func(clienttest.Action) (bool, runtime.Object, error) {
			return len(w.history) == 2, ready, nil // it comes up with the release
		})
		require.NoError(t, w.run("1", true))
		w.serves()
		assert.NotEqual(t, before, w.password())
		assert.Equal(t, []string{"write Secret", "write Secret", "upgrade", "ALTER ROLE", "write Secret", "rollout", "smoke test", "verdict"}, w.names)
	})
}

func TestWithoutTheLeaseNothingIsJudgedNorTakenBack(t *testing.T) {
	for name, bad := range map[string]func(*world){
		"in the rollout":    func(w *world) { w.broken = true },
		"in the smoke test": func(w *world) { w.wrong = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				bad(w)
				w.lost = errors.New("another run took over")
				require.ErrorIs(t, w.run("2", false), w.lost)
				assert.NotContains(t, w.names, "rollback")
				assert.NotContains(t, w.names, "verdict")
				assert.NotContains(t, w.names, "restart pods")
			})
		})
	}
}
