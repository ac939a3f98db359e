package dev

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/app"
)

// scene is one run of dev, with a cluster that takes note of what is done to it.
type scene struct {
	*fakePod
	*loop
	dir    string
	events chan time.Time
	did    []string
	fails  map[string]error // by what is done next
	log    func(ctx context.Context, emit func(service, line string)) error
	told   []string
}

func (s *scene) add(string) {}

func (s *scene) next(ctx context.Context) (time.Time, error) {
	select {
	case at := <-s.events:
		return at, nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

func (s *scene) do(what string) error {
	s.did = append(s.did, what)
	return s.fails[what]
}

func (s *scene) end(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.do("end")
}

func (s *scene) where() string { return "http://todo.localhost" }

func (s *scene) logs(ctx context.Context, emit func(service, line string)) error {
	if s.log != nil {
		return s.log(ctx, emit)
	}
	<-ctx.Done()
	return nil
}

// saved saves a file and waits until nothing more happens.
func (s *scene) saved(t *testing.T, name, text string) {
	write(t, s.dir, name, text)
	s.events <- time.Now()
	synctest.Wait()
}

// played runs dev until test is over, then ends it as Ctrl-C does, and gives how it ended.
func played(t *testing.T, fails map[string]error, test func(s *scene)) (s *scene, err error) {
	synctest.Test(t, func(t *testing.T) {
		s = &scene{fakePod: &fakePod{files: map[string]string{}}, dir: t.TempDir(), events: make(chan time.Time), fails: fails}
		write(t, s.dir, "backend/Dockerfile", "FROM")
		write(t, s.dir, "backend/src/main.py", "one")
		write(t, s.dir, "chart/values.yaml", "a: 1")
		s.loop = &loop{watcher: s, chart: tree{dir: s.dir + "/chart"},
			say: func(format string, args ...any) {
				s.did = append(s.did, strings.Fields(fmt.Sprintf(format, args...))[0])
			},
			tell:   func(service string, m mark, text string) { s.told = append(s.told, service+string(m)+text) },
			deploy: func(context.Context) error { return s.do("deploy") },
			begin:  func(context.Context) (mode, error) { return s, s.do("begin") },
		}
		backend := app.Service{Name: "backend", Folder: "backend", Develop: app.Develop{Synced: []string{"src"}, Built: []string{"Dockerfile"}}}
		s.services = []*service{newService(backend, s.dir+"/backend", func(string, mark, string) {})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.run(ctx) }()
		synctest.Wait()
		if test != nil {
			test(s)
		}
		cancel()
		err = <-done
	})
	return s, err
}

func TestCtrlCPutsTheVersionBack(t *testing.T) {
	s, err := played(t, nil, func(s *scene) {
		s.saved(t, "backend/src/main.py", "two")
		assert.Equal(t, "two", s.files["src/main.py"])
		s.saved(t, "backend/README.md", "of no matter")
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"deploy", "begin", "watching", "end"}, s.did)
}

func TestWhatTheServicesLogIsInTheSameStream(t *testing.T) {
	s, err := played(t, nil, func(s *scene) {
		asked := 0
		s.log = func(ctx context.Context, emit func(service, line string)) error {
			if asked++; asked == 1 {
				return errors.New("the cluster does not answer")
			}
			emit("backend", `{"level":"INFO","message":"request","request_id":"7"}`)
			<-ctx.Done()
			return nil
		}
		s.saved(t, "backend/Dockerfile", "FROM other") // and the next mode asks for logs anew
		time.Sleep(2 * again)
		synctest.Wait()
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"backend INFO     request request_id=7"}, s.told)
}

func TestWhatCannotBeBroughtToAPodIsDeployed(t *testing.T) {
	s, err := played(t, nil, func(s *scene) {
		s.saved(t, "backend/Dockerfile", "FROM other")
		s.saved(t, "chart/values.yaml", "a: 2")
	})
	require.NoError(t, err)
	again := func(what string) []string { return []string{what, "deploy", "begin", "watching"} }
	want := append([]string{"deploy", "begin", "watching"}, again("backend/Dockerfile")...)
	assert.Equal(t, append(append(want, again("values.yaml")...), "end"), s.did)
}

func TestADeployThatFailsOnTheWayWaitsForTheNextSave(t *testing.T) {
	s, err := played(t, nil, func(s *scene) {
		s.fails = map[string]error{"deploy": errors.New("the image does not build")}
		s.saved(t, "backend/Dockerfile", "FRM")
		s.fails = nil
		s.saved(t, "backend/Dockerfile", "FROM mended")
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"deploy", "begin", "watching", "backend/Dockerfile", "deploy", "the", "deploy", "begin", "watching", "end"}, s.did)
}

func TestWhatFailsAtTheBeginningEndsIt(t *testing.T) {
	broken := errors.New("broken")
	s, err := played(t, map[string]error{"deploy": broken}, nil)
	require.ErrorIs(t, err, broken)
	assert.Equal(t, []string{"deploy"}, s.did)
	s, err = played(t, map[string]error{"begin": broken}, nil)
	require.ErrorIs(t, err, broken)
	assert.Equal(t, []string{"deploy", "begin"}, s.did, "which has put the version back")
}

func TestAVersionThatCannotBePutBackIsAFailure(t *testing.T) {
	broken := errors.New("no cluster")
	s, err := played(t, map[string]error{"end": broken}, nil)
	require.ErrorIs(t, err, broken)
	assert.Equal(t, []string{"deploy", "begin", "watching", "end", "the"}, s.did, "and what mends it is said")
}

func TestOfAnotherRunsDeployNothingIsTakenBack(t *testing.T) {
	s, err := played(t, nil, func(s *scene) {
		s.set(func() { s.gone = errOver; s.cut() })
		time.Sleep(2 * again)
	})
	require.ErrorIs(t, err, errOver)
	assert.NotContains(t, s.did, "end")
}
