package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// Spec is one image to build.
type Spec struct {
	Name   string            // repository name, such as todo-backend
	Dir    string            // build context, with its Dockerfile
	Target string            // stage to build; the last where empty
	Args   map[string]string // build arguments, the base image among them
	// Platform is what the image is to run on, such as linux/arm64; that of the engine where empty.
	Platform string
}

// Builder builds images in a Docker engine.
type Builder struct {
	Docker   *engine.Docker
	CABundle string // PEM file handed to builds as the secret "ca"; none where empty
	LogDir   string // where the whole output of a failed build goes
}

// Label marks every image that this project built, so that it can find and remove its own.
const Label = "todo.local/built"

// readings is how often a build context is read until it is the same twice in a row.
const readings = 5

// Ref gives the name that the spec's content has, without building anything.
func (s Spec) Ref() (string, error) {
	ref, err := s.pack(io.Discard)
	for try := 1; try < readings && changing(err); try++ {
		ref, err = s.pack(io.Discard)
	}
	return ref, s.unreadable(err)
}

// pack writes the build context as it is now to w, and gives its name.
func (s Spec) pack(w io.Writer) (string, error) {
	tag, err := contentTag(s, w)
	return s.Name + ":" + tag, err
}

func (s Spec) unreadable(err error) error {
	return fault.Wrap(err, fault.CodeBuild, "the build context "+s.Dir+" cannot be read", "check that the folder is complete and readable")
}

// Build makes the image unless the engine has one of the same content, and gives its name. What is named is what the
// builder is given: files that are saved meanwhile are another content, for the next build.
func (b *Builder) Build(ctx context.Context, t *ui.Task, s Spec) (string, error) {
	ref, err := s.Ref()
	if err != nil {
		return "", err
	}
	if there, err := b.has(ctx, t, ref); err != nil || there {
		return ref, err
	}
	packed, err := os.CreateTemp("", "todo-context-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(packed.Name()) }()
	defer func() { _ = packed.Close() }()
	for range readings {
		again, err := s.repack(packed)
		switch {
		case changing(err):
			continue
		case err != nil:
			return "", s.unreadable(err)
		case again == ref:
			if err := b.build(ctx, t, s, ref, packed); err != nil {
				return "", err
			}
			t.Result("%s", ref)
			return ref, nil
		}
		ref = again
		if there, err := b.has(ctx, t, ref); err != nil || there {
			return ref, err
		}
	}
	return "", fault.New(fault.CodeBuild, "the files in "+s.Dir+" keep changing while they are read",
		"run the target again once nothing writes to them")
}

// has tells whether the engine has an image.
func (b *Builder) has(ctx context.Context, t *ui.Task, ref string) (bool, error) {
	if found, err := b.Docker.Images(ctx, ref); err != nil || len(found) == 0 {
		return false, ctx.Err() // a build tells better what is wrong with an engine
	}
	t.Unchanged("%s", ref)
	return true, nil
}

// repack writes the build context over what the file had, and leaves the file at its beginning.
func (s Spec) repack(f *os.File) (string, error) {
	if err := f.Truncate(0); err != nil {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	ref, err := s.pack(f)
	if err != nil {
		return "", err
	}
	_, err = f.Seek(0, io.SeekStart)
	return ref, err
}

// build has the engine make the image from a packed build context.
func (b *Builder) build(ctx context.Context, t *ui.Task, s Spec, ref string, packed io.Reader) error {
	args := []string{"build", "--progress", "plain", "--tag", ref, "--label", Label + "=" + s.Name}
	if s.Target != "" {
		args = append(args, "--target", s.Target)
	}
	if s.Platform != "" {
		args = append(args, "--platform", s.Platform)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Args)) {
		args = append(args, "--build-arg", k+"="+s.Args[k])
	}
	for _, k := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if os.Getenv(k) != "" || os.Getenv(strings.ToLower(k)) != "" {
			args = append(args, "--build-arg", k) // by name only: Docker takes the value, which may hold a password, from the environment
		}
	}
	if b.CABundle != "" {
		args = append(args, "--secret", "id=ca,src="+b.CABundle)
	}
	var mu sync.Mutex
	var log strings.Builder
	_, err := b.Docker.Run(ctx, run.Cmd{Args: append(args, "-"), Stdin: packed, Line: func(line string) {
		mu.Lock()
		defer mu.Unlock()
		log.WriteString(line + "\n")
		t.Line(line)
	}})
	if err == nil || ctx.Err() != nil {
		return err
	}
	if known := engine.Explain(err); known != nil {
		return known
	}
	return b.failure(s, log.String(), err)
}

// failure saves the build's output and names the step and the message that matter.
func (b *Builder) failure(s Spec, log string, cause error) error {
	remedy := "correct what it names and run the target again"
	path := filepath.Join(b.LogDir, s.Name+".log")
	if err := errors.Join(os.MkdirAll(b.LogDir, 0o755), os.WriteFile(path, []byte(log), 0o644)); err == nil {
		remedy += "; the whole output is in " + path
	}
	what := fmt.Sprintf("the image %s did not build", s.Name)
	if s.Platform != "" && strings.Contains(log, "exec format error") {
		return fault.New(fault.CodeEnvironment, fmt.Sprintf("%s: this Docker engine runs no programs for %s, which the cluster's nodes are", what, s.Platform),
			"give the engine's machine an emulator (apt-get install qemu-user-static), or build with an engine of that kind, which DOCKER_HOST names")
	}
	if reason := buildReason(log); reason != "" {
		return fault.New(fault.CodeBuild, what+": "+reason, remedy)
	}
	return fault.Wrap(cause, fault.CodeBuild, what, remedy)
}

var (
	stepLine   = regexp.MustCompile(`^#(\d+) (?:\d+\.\d+ )?(.*)$`)
	stepError  = regexp.MustCompile(`^#(\d+) ERROR: (.*)$`)
	solveError = regexp.MustCompile(`^(?:ERROR: )?(?:failed to solve[^:]*: )(?:failed to create LLB definition: )?(.*)$`)
	noise      = regexp.MustCompile(`^(?:sha256:|\[|DONE|CACHED|transferring|resolve|extracting|naming to|exporting)`)
	complaint  = regexp.MustCompile(`(?i)\berror\b.{20,}`)
)

// buildReason gives what a person would scroll to: of the step that failed, the first line that speaks of an error, or
// else the last that tells anything.
func buildReason(log string) string {
	output := map[string][]string{} // by step, as both halves of a build may print at once
	var reason string
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		if m := stepError.FindStringSubmatch(line); m != nil {
			said := output[m[1]]
			if len(said) == 0 {
				return m[2]
			}
			for _, s := range said {
				if complaint.MatchString(s) {
					return s
				}
			}
			return run.Telling(strings.Join(said, "\n"))
		}
		if m := stepLine.FindStringSubmatch(line); m != nil {
			if text := strings.TrimSpace(m[2]); text != "" && !noise.MatchString(text) {
				output[m[1]] = append(output[m[1]], text)
			}
		} else if m := solveError.FindStringSubmatch(line); m != nil {
			reason = m[1]
		}
	}
	return reason
}
