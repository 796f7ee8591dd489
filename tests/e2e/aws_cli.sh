#!/usr/bin/env bash
# The AWS CLI, and nothing of ours on its side, does the main job against a local cloud.
#
#   eval "$(streamctl local env)"
#   tests/e2e/aws_cli.sh FACES CLIP
#
# AWS names the aws command (default: aws). FACES is a folder with obama.jpg, obama2.jpg and
# biden.jpg; CLIP a video file that PUSH (default: streamctl camera push) plays into a camera.
set -euo pipefail

faces=$1 clip=$2
aws=${AWS:-aws}
push=${PUSH:-streamctl camera push}
camera=cli-door results=AmazonRekognition-cli-door processor=cli-watch collection=cli-staff role=cli-watch

say() { printf '%s\n' "$*"; }
die() { printf 'failed: %s\n' "$*" >&2; exit 1; }
got() { $aws "$@" --output text; }

until_true() { # until_true SECONDS COMMAND...
  local deadline=$((SECONDS + $1)); shift
  until "$@"; do
    ((SECONDS < deadline)) || die "not in time: $*"
    sleep 0.5
  done
}
status_is() { [[ $(got rekognition describe-stream-processor --name $processor --query Status) == "$1" ]]; }

say '1. a video stream, results, a role, a collection'
arn=$(got kinesisvideo create-stream --stream-name $camera --data-retention-in-hours 1 --query StreamARN)
$aws kinesis create-stream --stream-name $results --shard-count 1
results_arn=$(got kinesis describe-stream-summary --stream-name $results --query StreamDescriptionSummary.StreamARN)
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rekognition.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
role_arn=$(got iam create-role --role-name $role --assume-role-policy-document "$trust" --query Role.Arn)
policy='{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":["kinesisvideo:GetDataEndpoint","kinesisvideo:GetMedia"],"Resource":"'$arn'"},
  {"Effect":"Allow","Action":["kinesis:PutRecord","kinesis:PutRecords"],"Resource":"'$results_arn'"}]}'
$aws iam put-role-policy --role-name $role --policy-name watch --policy-document "$policy"
$aws rekognition create-collection --collection-id $collection >/dev/null

say '2. obama is indexed, found by another photo of him, and not by one of biden'
$aws rekognition index-faces --collection-id $collection --external-image-id obama \
  --image-bytes "fileb://$faces/obama.jpg" >/dev/null
found() { got rekognition search-faces-by-image --collection-id $collection --image-bytes "fileb://$faces/$1" \
  --query 'FaceMatches[].Face.ExternalImageId'; }
[[ $(found obama2.jpg) == obama ]] || die 'obama2.jpg did not find obama'
[[ -z $(found biden.jpg) ]] || die 'biden.jpg found somebody'

say '3. a processor is created, started, RUNNING, listed, and cannot be deleted'
$aws rekognition create-stream-processor --name $processor --role-arn "$role_arn" \
  --input "KinesisVideoStream={Arn=$arn}" \
  --stream-processor-output "KinesisDataStream={Arn=$results_arn}" \
  --settings "FaceSearch={CollectionId=$collection,FaceMatchThreshold=85}" >/dev/null
$aws rekognition start-stream-processor --name $processor >/dev/null
until_true 30 status_is RUNNING
[[ $(got rekognition list-stream-processors --query "StreamProcessors[?Name=='$processor'].Status") == RUNNING ]] ||
  die 'it is not listed as RUNNING'
refusal=$($aws rekognition delete-stream-processor --name $processor 2>&1) && die 'it was deleted while RUNNING'
[[ $refusal == *ResourceInUseException* ]] || die "refused otherwise: $refusal"

say '4. while a clip is pushed, records arrive whose fragments the camera lists'
$push $camera "$clip" >/dev/null 2>&1 &
pushing=$!
shard=$(got kinesis list-shards --stream-name $results --query 'Shards[0].ShardId')
fragments_in_records() {
  local iterator
  iterator=$(got kinesis get-shard-iterator --stream-name $results --shard-id "$shard" \
    --shard-iterator-type TRIM_HORIZON --query ShardIterator)
  $aws kinesis get-records --shard-iterator "$iterator" --query 'Records[].Data' --output json |
    python3 -c '
import base64, json, sys
for data in json.load(sys.stdin):
    print(json.loads(base64.b64decode(data))["InputInformation"]["KinesisVideo"]["FragmentNumber"])'
}
have_records() { [[ $(fragments_in_records | wc -l) -ge 3 ]]; }
until_true 60 have_records
kill -0 $pushing 2>/dev/null || die 'the records came only after the push'
wait $pushing || die 'the push failed'
endpoint=$(got kinesisvideo get-data-endpoint --stream-name $camera --api-name LIST_FRAGMENTS --query DataEndpoint)
range="{StartTimestamp=$(($(date +%s) - 600)),EndTimestamp=$(($(date +%s) + 60))}"
listed=$(got kinesis-video-archived-media list-fragments --stream-name $camera --endpoint-url "$endpoint" \
  --fragment-selector "FragmentSelectorType=SERVER_TIMESTAMP,TimestampRange=$range" \
  --query 'Fragments[].FragmentNumber' | tr '\t' '\n')
while read -r fragment; do
  grep -qx "$fragment" <<<"$listed" || die "fragment $fragment is in a record and not listed"
done < <(fragments_in_records | sort -u)

say '5. it stops, no more records arrive, and it is deleted'
$aws rekognition stop-stream-processor --name $processor
until_true 30 status_is STOPPED
before=$(fragments_in_records | wc -l)
$push $camera "$clip" >/dev/null 2>&1 || die 'the second push failed'
[[ $(fragments_in_records | wc -l) == "$before" ]] || die 'records arrived after the stop'
$aws rekognition delete-stream-processor --name $processor
gone() { ! $aws rekognition describe-stream-processor --name $processor >/dev/null 2>&1; }
until_true 10 gone

say "done: $before records, $(wc -l <<<"$listed") fragments"
