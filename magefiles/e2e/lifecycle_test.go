//go:build e2e

package e2e

import (
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
)

// TestLifecycle goes through the life of one deployment in order. Every step after the first needs the same, and leaves
// it so: this checkout deployed, and Alice logged in with the task that the first step wrote. A step that fails may
// leave anything else, which restore mends before the next one.
func TestLifecycle(t *testing.T) {
	project := here(t)
	home := userKubeconfig(t)
	require.Zero(t, project.mage(t, nil, "cluster:delete").code)
	life := &short{project: project, alice: &user{}}
	alice := life.alice
	steps := []step{
		life.begin(),
		{"smoke test and status", func(t *testing.T) {
			require.Zero(t, project.mage(t, nil, "test:smoke").code)
			r := project.mage(t, nil, "status")
			require.Zero(t, r.code)
			for _, name := range running(t).names(t, "todo-backend") {
				assert.Contains(t, r.output, name)
			}
		}},
		{"mage by itself", func(t *testing.T) { byItself(t, project) }},
		{"a day with the application in a browser, and beside it what waits most of its time", func(t *testing.T) {
			t.Run("side by side", func(t *testing.T) {
				t.Run("browser", func(t *testing.T) {
					t.Parallel()
					require.Zero(t, project.mage(t, nil, "test:browser").code)
				})
				t.Run("eviction", func(t *testing.T) {
					t.Parallel()
					diagnosed(t, "ailment-eviction", evicted)
				})
			})
		}},
		{"the chart is enough by itself", func(t *testing.T) { chartAlone(t, project) }},
		{"only the named hosts and paths are routed", routing},
		{"services lead to their pods, and pods reach each other", wired},
		{"HTTPS with a certificate of its own, next to HTTP", func(t *testing.T) { encrypted(t, project) }},
		life.unchanged(),
		life.changed(),
		{"tasks survive the deletion of every pod", func(t *testing.T) {
			d := running(t)
			require.NoError(t, d.client.CoreV1().Pods(d.cfg.Namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
			require.Zero(t, project.mage(t, nil, "deploy").code)
			d.login(t, alice)
			assert.Equal(t, []string{"written on the first day"}, alice.titles(t))
		}},
		{"the version before comes back, and the one that is named", func(t *testing.T) { history(t, project) }},
		{"logs, usage, events, a shell and a port are at hand", func(t *testing.T) { observation(t, project) }},
		{"a page shows all of that as it happens, and operates it", func(t *testing.T) {
			require.Zero(t, project.mage(t, nil, "test:dashboard").code)
		}},
		{"pods can be scaled by hand", func(t *testing.T) { scaling(t, project) }},
		{"what is saved is served, a mistake is not, and the deployed version comes back", func(t *testing.T) { innerLoop(t, project, alice) }},
		{"a further service is a row and an entry", func(t *testing.T) { further(t, project) }},
		{"questions are answered, and changes only proposed", func(t *testing.T) { aiOperations(t, project) }},
		{"assistants have the rights that are written down", rights},
		{"kubectl-ai looks, changes what it is told to, and reaches no secret", func(t *testing.T) { kubectlAI(t, project) }},
		{"secrets are rotated, and are nowhere to be read", func(t *testing.T) { rotation(t, project, alice) }},
		{"a rotation beside a version that does not come up leaves pods that work", func(t *testing.T) { rotationOfBroken(t, project, alice) }},
		{"secrets of a person's own stay secret", func(t *testing.T) { given(t, project, alice) }},
		{"a broken image is diagnosed while the version before keeps serving", func(t *testing.T) { brokenImage(t, project, alice) }},
		{"a version that comes up and does not work is taken back", func(t *testing.T) { brokenAnswer(t, project, alice) }},
		{"every kind of failure is diagnosed", diagnoses},
		{"an unreachable database is named, its password is not", func(t *testing.T) { unreachableDatabase(t, project, alice) }},
		{"an image that does not build changes nothing", func(t *testing.T) {
			d := running(t)
			revision := d.revision(t)
			broken := copyOf(t, project)
			appendTo(t, broken, "backend/Dockerfile", "\nRUN echo the reason why >&2 && exit 9\n")
			r := broken.mage(t, nil, "deploy")
			assert.Equal(t, fault.CodeBuild, r.code)
			assert.Contains(t, r.output, "the reason why")
			assert.Equal(t, revision, d.revision(t))
			assert.NotEmpty(t, alice.titles(t))
		}},
		{"bad settings are one line and change nothing", func(t *testing.T) {
			for _, setting := range []string{"TODO_CLUSTER=nonsense", "DATABASE_URL=mysql://u:hidden@h/d", "JWT_SECRET=hidden"} {
				r := project.mage(t, []string{setting}, "deploy")
				name, _, _ := strings.Cut(setting, "=")
				assert.Equal(t, fault.CodeInput, r.code)
				assert.Contains(t, r.output, name)
				assert.NotContains(t, r.output, "hidden")
			}
		}},
		{"of two deploys at once the second waits, and says for whom", func(t *testing.T) { together(t, project) }},
		{"of deploys from two machines one waits until the other is judged", func(t *testing.T) { machines(t, project) }},
		{"a deploy that is killed at whatever moment is picked up by the next", func(t *testing.T) { killed(t, project, 1, 2) }},
		{"superseded images go, those of the kept revisions stay", func(t *testing.T) { pruned(t, project) }},
		{"all is back after a restart of the node", func(t *testing.T) { restarted(t, project, alice) }},
		{"a node under pressure is named", pressed}, // its kubelet is restarted, and every pod has to prove again that it is ready
		life.resumed(),
		{"a stopped node that does not come up keeps its data, and tells why", func(t *testing.T) { revived(t, project, alice) }},
		{"a registry that falters delays a version, one that lacks it takes it back", func(t *testing.T) { faltering(t, project, alice) }},
		{"as somebody else's cluster it gets its images from a registry, and is left running", func(t *testing.T) { foreign(t, project) }},
		life.deleted(),
	}
	restore := func(failed string) {
		const left = "the other steps cannot start; the cluster is left as it is, and go tool mage cluster:delete removes it"
		require.NotEmpty(t, alice.token, left)
		t.Logf("deploying again, after the failure of %q", failed)
		require.Zero(t, project.mage(t, nil, "deploy").code, left)
		running(t).login(t, alice)
	}
	for i, s := range steps {
		if !t.Run(s.name, s.test) && i+1 < len(steps) {
			restore(s.name) // not in a subtest, which -run might leave out
		}
	}
	assert.Equal(t, home, userKubeconfig(t), "the user's own kubeconfig was changed")
}

func routing(t *testing.T) {
	browser := running(t).browser()
	for _, c := range []struct {
		url    string
		status int
		body   string
	}{
		{"http://todo.local/", http.StatusOK, "<html"},
		{"http://todo.localhost/", http.StatusOK, "<html"},
		{"http://todo.local/api/auth/me", http.StatusUnauthorized, "application/problem+json"},
		{"http://todo.localhost/api/auth/me", http.StatusUnauthorized, "application/problem+json"},
		{"http://todo.local/apix", http.StatusNotFound, "<html"}, // a prefix ends at a slash: the page's own answer
		{"http://todo.local/health", http.StatusNotFound, "<html"},
		{"http://todo.local/metrics", http.StatusNotFound, "<html"}, // the backend's, and not for the outside
		{"http://other.example.com/", http.StatusNotFound, ""},
		{"http://other.todo.local/api/auth/me", http.StatusNotFound, ""},
		{"http://127.0.0.1/", http.StatusNotFound, ""},
	} {
		res, err := get(t.Context(), browser, c.url)
		require.NoError(t, err, c.url)
		assert.Equal(t, c.status, res.StatusCode, c.url)
		assert.Contains(t, strings.ToLower(res.text+res.Header.Get("Content-Type")), c.body, c.url)
	}
}

func brokenImage(t *testing.T, project checkout, alice *user) {
	d := running(t)
	before := d.names(t, "todo-backend")
	broken := copyOf(t, project)
	appendTo(t, broken, "backend/src/main.py", "\nraise SystemExit(\"a mistake in this version\")\n")
	failed := watch(t, alice)
	r := broken.mage(t, nil, "deploy")
	assert.Empty(t, failed())

	assert.Equal(t, fault.CodeRollout, r.code)
	assert.Contains(t, r.output, "a mistake in this version", "the log line that tells the cause")
	assert.Regexp(t, `todo-app-backend-\S+|backend-\S+`, r.output, "the pod")
	assert.Contains(t, r.output, "diagnosis")
	assert.ElementsMatch(t, before, d.names(t, "todo-backend"), "the pods of the version before still serve")
	evidence, err := filepath.Glob(filepath.Join(broken.dir, ".cache", "diagnosis", "*", "*"))
	require.NoError(t, err)
	var saved []string
	for _, path := range evidence {
		saved = append(saved, filepath.Base(path))
	}
	for _, want := range []string{`^cause\.txt$`, `^events\.txt$`, `^pod-backend-.*\.yaml$`, `^log-backend-.*-previous\.txt$`, `^node-.*\.yaml$`, `^deployment-backend\.yaml$`} {
		assert.True(t, slices.ContainsFunc(saved, regexp.MustCompile(want).MatchString), "%s in %v", want, saved)
	}
	assert.Contains(t, r.output, "last lines of container backend:")
	require.Zero(t, project.mage(t, nil, "deploy").code)
}

func brokenAnswer(t *testing.T, project checkout, alice *user) {
	d := running(t)
	image := func() string { return d.image(t, "todo-backend") }
	before := image()
	broken := copyOf(t, project)
	appendTo(t, broken, "backend/src/main.py", `

@app.middleware("http")
async def forget(request, call_next):
    response = await call_next(request)
    if request.method == "POST" and request.url.path == "/api/tasks":
        response.status_code = 418
    return response
`)
	failed := watch(t, alice)
	r := broken.mage(t, nil, "deploy")
	assert.Empty(t, failed())

	assert.Equal(t, fault.CodeSmoke, r.code)
	assert.Regexp(t, `smoke test: create: POST \S+/api/tasks gave 418`, r.output)
	assert.Regexp(t, `the last version that passed its checks, revision \d+, is restored`, r.output)
	assert.Equal(t, before, image())
	r = project.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "Nothing changed")
}

func unreachableDatabase(t *testing.T, project checkout, alice *user) {
	failed := watch(t, alice)
	r := project.mage(t, []string{"DATABASE_URL=postgresql://someone:hidden@127.0.0.1:9/none", "TODO_TIMEOUT=2m"}, "deploy")
	assert.Empty(t, failed())
	assert.Equal(t, fault.CodeRollout, r.code)
	assert.NotContains(t, r.output, "hidden")
	require.Zero(t, project.mage(t, nil, "deploy").code)
	assert.Equal(t, []string{"written on the first day"}, alice.titles(t))
}

// pruned deploys more versions than revisions are kept, and goes back to the oldest that is.
func pruned(t *testing.T, project checkout) {
	d := running(t)
	images := func() (names []string) {
		out, err := docker(t).Output(t.Context(), "exec", d.cfg.ClusterName+"-control-plane", "ctr", "--namespace", "k8s.io", "images", "list", "--quiet")
		require.NoError(t, err)
		for name := range strings.SplitSeq(out, "\n") {
			if strings.Contains(name, "/todo-backend:") {
				names = append(names, name)
			}
		}
		return names
	}
	history, err := d.helm.History(t.Context(), config.ReleaseName)
	require.NoError(t, err)
	needed, err := d.helm.Images(config.ReleaseName)
	require.NoError(t, err)
	slices.Sort(needed)
	here := images()
	assert.LessOrEqual(t, len(here), len(history), "the steps before left more versions behind than that: %v", here)
	for _, ref := range slices.Compact(needed) {
		if strings.Contains(ref, "todo-backend:") {
			assert.Contains(t, here, "docker.io/library/"+ref)
		}
	}
	require.Zero(t, project.mage(t, nil, "release:rollback", "-revision="+strconv.Itoa(history[0].Revision)).code, "the oldest revision still has its images")
	require.Zero(t, project.mage(t, nil, "deploy").code)
}
