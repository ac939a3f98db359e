package image

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

func tagOf(t *testing.T, dir, target string, args map[string]string) string {
	t.Helper()
	tag, err := contentTag(Spec{Dir: dir, Target: target, Args: args}, io.Discard)
	require.NoError(t, err)
	return tag
}

func TestTagFollowsContentAndNothingElse(t *testing.T) {
	files := map[string]string{"Dockerfile": "FROM x", "src/a.py": "a", ".dockerignore": "*.log\n.venv\n"}
	dir, same := tree(t, files), tree(t, files)
	base := tagOf(t, dir, "", nil)
	assert.Equal(t, base, tagOf(t, same, "", nil), "two checkouts of the same content share a tag")
	assert.Len(t, base, tagLength)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.log"), []byte("ignored"), 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".venv", "lib"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".venv", "lib", "y"), []byte("ignored"), 0o644))
	assert.Equal(t, base, tagOf(t, dir, "", nil), "what .dockerignore leaves out does not count")

	assert.NotEqual(t, base, tagOf(t, dir, "test", nil))
	assert.NotEqual(t, base, tagOf(t, dir, "", map[string]string{"BASE": "other"}))
	require.NoError(t, os.Chmod(filepath.Join(dir, "src", "a.py"), 0o755))
	assert.NotEqual(t, base, tagOf(t, dir, "", nil), "the executable bit counts")
}

func TestTagSeparatesNamesFromBytes(t *testing.T) {
	one := tree(t, map[string]string{"a": "bc"})
	two := tree(t, map[string]string{"ab": "c"})
	assert.NotEqual(t, tagOf(t, one, "", nil), tagOf(t, two, "", nil))
}

func TestExclamationBringsFilesBack(t *testing.T) {
	dir := tree(t, map[string]string{".dockerignore": "docs\n!docs/keep.md\n", "docs/keep.md": "1", "docs/other.md": "1"})
	before := tagOf(t, dir, "", nil)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docs", "other.md"), []byte("2"), 0o644))
	assert.Equal(t, before, tagOf(t, dir, "", nil))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docs", "keep.md"), []byte("2"), 0o644))
	assert.NotEqual(t, before, tagOf(t, dir, "", nil))
}

func TestBuildUsesWhatIsThere(t *testing.T) {
	fake := (&run.Fake{}).On("docker image inspect", dockertest.Inspected(engine.Image{ID: "sha256:1"}), nil)
	b := &Builder{Docker: dockertest.New(t, fake)}
	ref, err := b.Build(t.Context(), nil, Spec{Name: "todo-x", Dir: tree(t, map[string]string{"Dockerfile": "FROM x"})})
	require.NoError(t, err)
	assert.Regexp(t, `^todo-x:[0-9a-f]{12}$`, ref)
	assert.Len(t, fake.Calls(), 1, "no build where the engine has the content")
}

func TestBuildHandsOverTheCABundleAsASecret(t *testing.T) {
	fake := (&run.Fake{}).On("docker image inspect", "", errors.New("no such image")).On("docker build", "", nil)
	b := &Builder{Docker: dockertest.New(t, fake), CABundle: "/ca.pem"}
	_, err := b.Build(t.Context(), nil, Spec{Name: "todo-x", Dir: t.TempDir(), Args: map[string]string{"BASE": "y:1"}})
	require.NoError(t, err)
	call := fake.Calls()[1]
	assert.Contains(t, call, "--secret id=ca,src=/ca.pem")
	assert.Contains(t, call, "--build-arg BASE=y:1")
}

func TestAnImageForAnotherPlatform(t *testing.T) {
	spec := Spec{Name: "todo-x", Dir: tree(t, map[string]string{"Dockerfile": "FROM x\nRUN true"})}
	native, err := spec.Ref()
	require.NoError(t, err)
	spec.Platform = "linux/arm64"
	ref, err := spec.Ref()
	require.NoError(t, err)
	assert.NotEqual(t, native, ref, "it has a name of its own")

	fake := (&run.Fake{}).On("docker image inspect", "", errors.New("no such image")).On("docker build", "", nil)
	b := &Builder{Docker: dockertest.New(t, fake), LogDir: t.TempDir()}
	_, err = b.Build(t.Context(), nil, spec)
	require.NoError(t, err)
	assert.Contains(t, fake.Calls()[1], "--platform linux/arm64")

	for version, log := range map[string]string{
		"20.10": "#5 [2/2] RUN true\n#5 0.195 standard_init_linux.go:228: exec user process caused: exec format error\n#5 ERROR: executor failed running [/bin/sh -c true]: exit code: 1\n",
		"29":    "#5 [2/2] RUN true\n#5 0.061 exec /bin/sh: exec format error\n#5 ERROR: process \"/bin/sh -c true\" did not complete successfully: exit code: 255\n",
	} {
		fake.On("docker build", log, errors.New("exit status 1"))
		_, err = b.Build(t.Context(), nil, spec)
		require.EqualError(t, err, "the image todo-x did not build: this Docker engine runs no programs for linux/arm64, which the cluster's nodes are", version)
		assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
		assert.Contains(t, fault.Remedy(err), "emulator")
	}
}

func TestBuildReason(t *testing.T) {
	for name, c := range map[string]struct{ log, want string }{
		"the first complaint of the failed step": {
			"#9 1.0 unrelated error: of another step that did not fail\n#10 1.1 npm error `npm ci` can only install packages when in sync\n#10 1.2 npm error see the log\n#10 ERROR: exit code: 1\n",
			"npm error `npm ci` can only install packages when in sync"},
		"else its last line":     {"#5 0.1 first\n#5 0.2 the reason why\n#5 ERROR: exit code: 9\n", "the reason why"},
		"a hint that follows it": {"#5 0.1 the reason why\n#5 0.2 [notice] A new release of pip is available\n#5 ERROR: exit code: 1\n", "the reason why"},
		"a step without output":  {"#3 [1/2] RUN x\n#3 sha256:0123\n#3 ERROR: no such image\n", "no such image"},
		"a file that is no Dockerfile": {"ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUM\n",
			"dockerfile parse error on line 3: unknown instruction: RUM"},
		"the same from Docker 20.10": {"failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: RUM\n",
			"dockerfile parse error line 2: unknown instruction: RUM"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, buildReason(c.log)) })
	}
}

func TestFailedBuildNamesTheReason(t *testing.T) {
	log := "#5 [builder 2/4] RUN pip install\n#5 1.234 collecting x\n#5 2.345 ERROR: No matching distribution found for x==9\n#5 ERROR: process \"/bin/sh -c pip install\" did not complete successfully: exit code: 1\n"
	fake := (&run.Fake{}).On("docker image inspect", "", errors.New("no such image")).On("docker build", log, errors.New("exit status 1"))
	logs := t.TempDir()
	b := &Builder{Docker: dockertest.New(t, fake), LogDir: logs}
	_, err := b.Build(t.Context(), nil, Spec{Name: "todo-x", Dir: t.TempDir()})
	require.Error(t, err)
	assert.Equal(t, fault.CodeBuild, fault.Code(err))
	assert.Contains(t, err.Error(), "todo-x did not build: ERROR: No matching distribution found for x==9")
	assert.Contains(t, fault.Remedy(err), filepath.Join(logs, "todo-x.log"))
	saved, err := os.ReadFile(filepath.Join(logs, "todo-x.log"))
	require.NoError(t, err)
	assert.Equal(t, log, string(saved))
}
