// Package image makes the application's images: their names from their content, the builds, the way into a cluster's node, and the proof that
// they arrived.
package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"todo.local/magefiles/internal/fault"
)

// tagLength is how many hexadecimal digits of the content hash make a tag: enough that two contents of one project do not meet.
const tagLength = 12

// contentTag names a build by everything that goes into it: the files that Docker would send (honouring .dockerignore), their executable bits,
// the build arguments, which carry the base image's identity, and the target stage.
func contentTag(dir, target string, args map[string]string) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "target %q\n", target)
	for _, k := range slices.Sorted(maps.Keys(args)) {
		fmt.Fprintf(sum, "arg %q %q\n", k, args[k])
	}
	if err := hashContext(sum, dir); err != nil {
		return "", fault.Wrap(err, fault.CodeBuild, "the build context "+dir+" cannot be read", "check that the folder is complete and readable")
	}
	return hex.EncodeToString(sum.Sum(nil))[:tagLength], nil
}

func hashContext(sum hash.Hash, dir string) error {
	ignored, err := readIgnore(dir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		skip, err := ignored.MatchesOrParentMatches(rel)
		if err != nil {
			return err
		}
		if d.IsDir() {
			// A folder that is left out can be skipped whole unless a "!" pattern may bring back something below it.
			if skip && !ignored.Exclusions() {
				return filepath.SkipDir
			}
			return nil
		}
		// Docker always reads the Dockerfile and .dockerignore, even where the latter leaves them out.
		if skip && rel != "Dockerfile" {
			return nil
		}
		return hashFile(sum, path, filepath.ToSlash(rel), d)
	})
}

func readIgnore(dir string) (*patternmatcher.PatternMatcher, error) {
	var patterns []string
	f, err := os.Open(filepath.Join(dir, ".dockerignore"))
	switch {
	case os.IsNotExist(err):
	case err != nil:
		return nil, err
	default:
		defer f.Close()
		if patterns, err = ignorefile.ReadAll(f); err != nil {
			return nil, err
		}
	}
	return patternmatcher.New(patterns)
}

// hashFile adds one file. Names and lengths go in before the bytes, so that no two trees can give the same stream.
func hashFile(sum hash.Hash, path, rel string, d fs.DirEntry) error {
	if d.Type()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "link %q %q\n", rel, to)
		return nil
	}
	if !d.Type().IsRegular() {
		return nil // sockets and the like are not sent
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintf(sum, "file %q %t %d\n", rel, info.Mode()&0o100 != 0, info.Size())
	_, err = io.Copy(sum, f)
	return err
}
