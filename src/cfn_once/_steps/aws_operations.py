"""
What is known of AWS operations by name: may a call be made again, and what names its effect?

    READ       changes nothing, and is passed through
    TOKEN      the service makes one effect of all calls with one token
    AT_WILL    the second call leaves what the first left, and does not fail
    ONCE       all the rest, and whatever is in doubt

Reviewed over every service of botocore 1.44.8, by the model and its text; read `Operations` of a
table as "service: names". A new botocore brings new operations: the tests over the whole of it name
each one that a table must decide.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .call import Repetition

MINUTES, HOURS, DAYS = 60.0, 3600.0, 86400.0


def _named(table: Mapping[str, str]) -> frozenset[str]:
    return frozenset(_spelled(table))


def _spelled(table: Mapping[str, str]) -> Iterator[str]:
    for service, operations in table.items():
        yield from (f"{service}.{operation}" for operation in operations.split())


# Whole words of a name: `Is` is no part of IssueCertificate, nor `Check` of CheckoutLicense.
_READS = re.compile(
    r"(Get|Describe|List|Head|Query|Scan|Search|Lookup|Check|Validate|Preview|Simulate|Estimate|Is"
    r"|Filter|View|Select|Count|Compare|Discover|Assume|TransactGet|AdminGet|AdminList"
    r"|Batch(Get|Describe|Is|Lookup|Read|Check))(?=[A-Z0-9]|$)"
)

# Named like a read, but: makes an identity, takes a task off a queue, sends a code, reserves a
# name, runs a query that may write, uses up what it reads.
NOT_READS = _named(
    {
        "agent-registry-control": "ValidatePublisher",
        "apigatewayv2": "PreviewPortal",
        "cognito-identity": "GetId GetOpenIdTokenForDeveloperIdentity",
        "cognito-idp": "GetTokensFromRefreshToken GetUserAttributeVerificationCode",
        "continuum": "GetCollectorDataAccessAuthorization",
        "devops-agent": "ValidateAwsAssociations",
        "endusermessaging": "ValidateNotifyCodeVerification",
        "importexport": "GetShippingLabel",
        "license-manager": "CheckInLicense",
        "lightsail": "CheckSubdomainAvailability",
        "sagemaker": "GetScalingConfigurationRecommendation",
        "security-ir": "GetCaseAttachmentUploadUrl",
        "stepfunctions": "GetActivityTask",
        "taxsettings": "GetTaxRegistrationDocument",
        "timestream-query": "Query",
    }
)

# Reads under another name. What KMS and STS do with data leaves nothing behind, and its results
# are secrets that no record may hold.
MORE_READS = _named(
    {
        "cloudfront": "TestFunction",
        "events": "TestEventPattern",
        "kms": (
            "Decapsulate Decrypt DeriveSharedSecret Encapsulate Encrypt GenerateDataKey"
            " GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext"
            " GenerateDataKeyWithoutPlaintext GenerateMac GenerateRandom ReEncrypt Sign Verify"
            " VerifyMac"
        ),
        "logs": "TestMetricFilter TestTransformer",
        "payment-cryptography-data": (
            "DecryptData EncryptData GenerateAs2805KekValidation GenerateAuthRequestCryptogram"
            " GenerateCardValidationData GenerateMac GenerateMacEmvPinChange GeneratePinData"
            " ReEncryptData TranslateKeyMaterial TranslatePinData VerifyAuthRequestCryptogram"
            " VerifyCardValidationData VerifyMac VerifyPinData"
        ),
        "quicksight": (
            "GenerateEmbedUrlForAnonymousUser GenerateEmbedUrlForRegisteredUser"
            " GenerateEmbedUrlForRegisteredUserWithIdentity"
        ),
        "route53": "TestDNSAnswer",
        "route53domains": "RetrieveDomainAuthCode",
        "ses": "TestRenderTemplate",
        "sesv2": "TestRenderEmailTemplate",
        "sts": "DecodeAuthorizationMessage",
    }
)

# Members that take a token and do not bear the trait `idempotencyToken`, by what the operation's
# text says of them. Left out: what only correlates (Greengrass), what proves who asks
# (CodePipeline), optimistic locks, and what the text does not promise.
_TOKEN_MEMBERS = {
    ("abuse-signal", "clientToken"): "CreateAbuseReport",
    ("acm", "IdempotencyToken"): "PutAccountConfiguration RequestCertificate",
    ("acm-pca", "IdempotencyToken"): "CreateCertificateAuthority IssueCertificate",
    ("athena", "ClientRequestToken"): (
        "CreateNotebook ImportNotebook StartCalculationExecution StartSession UpdateNotebook "
        "UpdateNotebookMetadata"
    ),
    ("backup", "CreatorRequestId"): "CreateRestoreTestingPlan CreateRestoreTestingSelection",
    ("backup", "IdempotencyToken"): "StartScanJob",
    ("backupsearch", "ClientToken"): "StartSearchJob StartSearchResultExportJob",
    ("bedrock", "clientRequestToken"): "CreateModelImportJob",
    ("chime-sdk-voice", "ClientRequestToken"): (
        "CreateVoiceProfileDomain StartSpeakerSearchTask StartVoiceToneAnalysisTask"
    ),
    ("cloud9", "clientRequestToken"): "CreateEnvironmentEC2",
    ("cloudformation", "ClientRequestToken"): (
        "CancelUpdateStack ContinueUpdateRollback CreateStack DeleteStack ExecuteChangeSet "
        "RegisterType RollbackStack StartResourceScan UpdateStack"
    ),
    ("cloudformation", "ClientToken"): "CreateChangeSet",
    ("cloudfront", "CallerReference"): "CopyDistribution",
    ("cloudhsm", "ClientToken"): "CreateHsm",
    ("codebuild", "idempotencyToken"): (
        "RetryBuild RetryBuildBatch StartBuild StartBuildBatch StartSandbox"
    ),
    ("codecatalyst", "clientToken"): "CreateDevEnvironment UpdateDevEnvironment",
    ("comprehend", "ClientRequestToken"): "StartFlywheelIteration",
    ("config", "ClientToken"): "StartResourceEvaluation",
    ("connect", "ClientToken"): (
        "CreateEmailAddress CreatePersistentContactAssociation CreateView "
        "StartContactConversationalAnalyticsJob UpdateEmailAddressMetadata"
    ),
    ("datapipeline", "uniqueId"): "CreatePipeline",
    ("directconnect", "clientToken"): (
        "AssociateConnectionsToResiliencyGroup CreateResiliencyGroup "
        "DisassociateConnectionsFromResiliencyGroup UpdateResiliencyGroup"
    ),
    ("ec2", "ClientToken"): (
        "AllocateHosts CopyFpgaImage CreateCapacityReservation "
        "CreateEgressOnlyInternetGateway CreateFlowLogs CreateFpgaImage "
        "CreateReservedInstancesListing CreateVpcEndpoint "
        "CreateVpcEndpointConnectionNotification CreateVpcEndpointServiceConfiguration "
        "ImportImage ImportSnapshot ModifyInstanceCreditSpecification ModifyReservedInstances "
        "PurchaseHostReservation RequestSpotInstances"
    ),
    ("ecs", "clientToken"): "CreateDaemon CreateService CreateTaskSet",
    ("emr", "ClientRequestToken"): "StartSession",
    ("es", "ClientToken"): "CreateVpcEndpoint",
    ("gamelift", "IdempotencyToken"): "CreateGameSession",
    ("glue", "ClientToken"): (
        "CreateDataQualityRuleset StartDataQualityRuleRecommendationRun "
        "StartDataQualityRulesetEvaluationRun"
    ),
    ("healthlake", "ClientToken"): "StartDataTransformationJob",
    ("iot-managed-integrations", "ClientToken"): "StartDeviceDiscovery",
    ("iotsitewise", "clientToken"): "ExecuteAction",
    ("kafka", "ClientToken"): "StartTopicReassignment",
    ("kendra", "ClientToken"): "CreateFeaturedResultsSet",
    ("license-manager", "ClientToken"): (
        "CheckoutBorrowLicense CheckoutLicense CreateGrant CreateGrantVersion CreateLicense "
        "CreateLicenseAssetGroup CreateLicenseAssetRuleset "
        "CreateLicenseManagerReportGenerator CreateLicenseVersion CreateToken "
        "UpdateLicenseAssetGroup UpdateLicenseAssetRuleset "
        "UpdateLicenseManagerReportGenerator"
    ),
    ("mturk", "UniqueRequestToken"): (
        "CreateAdditionalAssignmentsForHIT CreateHIT CreateHITWithHITType SendBonus"
    ),
    ("observabilityadmin", "ClientToken"): "CreateConnector PutConnectorTelemetryManifest",
    ("omics", "clientToken"): (
        "CreateMultipartReadSetUpload CreateReferenceStore StartReadSetActivationJob "
        "StartReadSetExportJob StartReadSetImportJob StartReferenceImportJob"
    ),
    ("opensearch", "ClientToken"): "CreateVpcEndpoint",
    ("opensearch", "clientToken"): "AttachDataSource StartMigration",
    ("partnercentral-benefits", "ClientToken"): (
        "AmendBenefitApplication CancelBenefitApplication CreateBenefitApplication "
        "RecallBenefitApplication UpdateBenefitApplication"
    ),
    ("pcs", "bootstrapId"): "RegisterComputeNodeGroupInstance",
    ("qconnect", "clientToken"): "CreateMessageTemplateAttachment",
    ("quicksight", "clientToken"): "CreateLimitsProfile",
    ("ram", "clientToken"): (
        "AcceptResourceShareInvitation AssociateResourceShare "
        "AssociateResourceSharePermission CreatePermission CreatePermissionVersion "
        "CreateResourceShare DeletePermission DeletePermissionVersion DeleteResourceShare "
        "DisassociateResourceShare DisassociateResourceSharePermission "
        "PromotePermissionCreatedFromPolicy RejectResourceShareInvitation "
        "ReplacePermissionAssociations SetDefaultPermissionVersion UpdatePermission "
        "UpdateResourceShare"
    ),
    ("rekognition", "ClientRequestToken"): (
        "CreateFaceLivenessSession StartCelebrityRecognition StartContentModeration "
        "StartFaceDetection StartFaceSearch StartLabelDetection StartPersonTracking "
        "StartSegmentDetection StartTextDetection"
    ),
    ("route53", "CallerReference"): (
        "CreateCidrCollection CreateHealthCheck CreateHostedZone CreateKeySigningKey "
        "CreateReusableDelegationSet"
    ),
    ("route53resolver", "CreatorRequestId"): (
        "CreateOutpostResolver CreateResolverEndpoint CreateResolverRule"
    ),
    ("sagemaker", "ClientToken"): "UpdateModelPackage",
    ("sagemakertrainingsessionruntime", "clientToken"): "ExecuteTrainingOperation",
    ("serverlessrepo", "ClientToken"): "CreateCloudFormationChangeSet",
    ("ssm", "ClientToken"): "StartAutomationExecution StartChangeRequestExecution",
    ("ssm-contacts", "IdempotencyToken"): "CreateRotation CreateRotationOverride",
    ("storagegateway", "ClientToken"): (
        "AssociateFileSystem CreateCachediSCSIVolume CreateNFSFileShare CreateSMBFileShare "
        "CreateTapes StartCacheReport"
    ),
    ("textract", "ClientRequestToken"): (
        "StartDocumentAnalysis StartDocumentTextDetection StartExpenseAnalysis StartLendingAnalysis"
    ),
    ("wellarchitected", "ClientRequestToken"): (
        "UpgradeLensReview UpgradeReviewTemplateLensReview"
    ),
    ("workspaces", "ClientToken"): (
        "AcceptAccountLinkInvitation CreateAccountLinkInvitation DeleteAccountLinkInvitation"
    ),
}
TOKEN_MEMBERS = {
    f"{service}.{operation}": member
    for (service, member), operations in _TOKEN_MEMBERS.items()
    for operation in operations.split()
}

# How long a service remembers a token, where its text says so; of a service, or of one operation.
DEFAULT_WINDOW = 10 * MINUTES  # of all others
WINDOWS = {
    "abuse-signal": 24 * HOURS,
    "acm": 1 * HOURS,
    "acm-pca": 5 * MINUTES,
    "appflow": 8 * HOURS,
    "backupsearch": 8 * HOURS,
    "bcm-dashboards.ExecuteScheduledReport": 0.0,  # "the same minute" may end at once
    "cloudcontrol": 36 * HOURS,
    "codebuild": 5 * MINUTES,
    "connect.StartOutboundChatContact": 7 * DAYS,
    "connect.StartOutboundVoiceContact": 7 * DAYS,
    "connect.StartWebRTCContact": 7 * DAYS,
    "ds-data": 8 * HOURS,
    "dynamodb.ExportTableToPointInTime": 8 * HOURS,
    "dynamodb.ImportTable": 8 * HOURS,
    "ec2.RunInstances": 24 * HOURS,
    "eks.CreateCapability": 24 * HOURS,
    "eks.UpdateCapability": 24 * HOURS,
    "gamelift.CreateGameSession": 30 * DAYS,
    "greengrassv2": 8 * HOURS,
    "kafka.StartTopicReassignment": 24 * HOURS,
    "lambda": 15 * MINUTES,
    "m2": 1 * HOURS,
    "mediaconvert": 1 * MINUTES,
    "mturk": 24 * HOURS,
    "odb": 24 * HOURS,
    "pca-connector-scep": 5 * MINUTES,
    "stepfunctions.RedriveExecution": 15 * MINUTES,
    "supplychain": 8 * HOURS,
    "timestream-query.Query": 5 * MINUTES,
    "verifiedpermissions": 8 * HOURS,
}


class Adoption(NamedTuple):
    """How a thing is found that an operation refuses to make twice.

    Attributes:
        code: The error that answers a token that the service knows.
        look_up: The operation that looks it up.
        by: The member that it looks up by.
        source: The member of the error, or else of what was asked for, that holds its value.
        among: The member of its answer that holds the thing.
        whole: The operation that tells all of a thing by its `Id`, where the look-up does not.
    """

    code: str
    look_up: str
    by: str
    source: str
    among: str
    whole: str | None = None


# Operations that answer a token they know with an error in the place of what was made.
ADOPTED = {
    "efs.CreateAccessPoint": Adoption(
        code="AccessPointAlreadyExists",
        look_up="DescribeAccessPoints",
        by="AccessPointId",
        source="AccessPointId",
        among="AccessPoints",
    ),
    "efs.CreateFileSystem": Adoption(
        code="FileSystemAlreadyExists",
        look_up="DescribeFileSystems",
        by="FileSystemId",
        source="FileSystemId",
        among="FileSystems",
    ),
    "route53.CreateHostedZone": Adoption(
        code="HostedZoneAlreadyExists",
        look_up="ListHostedZonesByName",
        by="DNSName",
        source="Name",
        among="HostedZones",
        whole="GetHostedZone",
    ),
}

# Put, delete, tag, set: verbs of control planes.
_REPEATED = re.compile(
    r"((Put|Delete|Set|Tag|Untag)(?=[A-Z0-9]|$)"
    r"|(Add|Remove|Create|CreateOrUpdate|Change|Update)Tags((To|From|For)[A-Z]|$))"
)

# Those of them that add something each time, or fail the second time: one more record, event,
# message, version, commit or call-back; a name or a version that is taken; an id that the
# service draws.
NOT_REPEATED = _named(
    {
        "apigateway": "PutMethod PutMethodResponse",
        "applicationcostprofiler": "PutReportDefinition",
        "autoscaling": "SetInstanceHealth",
        "backup": "PutRestoreValidationResult",
        "bedrock": "PutEnforcedGuardrailConfiguration",
        "bedrock-agent-runtime": "PutInvocationStep",
        "cloudtrail-data": "PutAuditEvents",
        "cloudwatch": "PutMetricData SetAlarmState",
        "codecommit": "DeleteFile PutFile",
        "codedeploy": "PutLifecycleEventHookExecutionStatus",
        "codeguruprofiler": "PutPermission",
        "codepipeline": (
            "PutActionRevision PutApprovalResult PutJobFailureResult PutJobSuccessResult"
            " PutThirdPartyJobFailureResult PutThirdPartyJobSuccessResult"
        ),
        "connectcampaigns": "PutDialRequestBatch",
        "connectcampaignsv2": "PutOutboundRequestBatch PutProfileOutboundRequestBatch",
        "connectscheduling": "PutTimeOffBalance",
        "cur": "PutReportDefinition",
        "customer-profiles": "PutProfileObject",
        "datapipeline": "SetStatus SetTaskStatus",
        "devops-guru": "PutFeedback",
        "ecr": "PutImage",
        "ecr-public": "PutImage",
        "eventbridgev2": "PutEvents PutRawEvents",
        "events": "PutEvents PutPartnerEvents",
        "firehose": "PutRecord PutRecordBatch",
        "fms": "PutAppsList PutPolicy PutProtocolsList PutResourceSet",
        "glue": "PutDataQualityProfileAnnotation PutSchemaVersionMetadata",
        "ivs": "PutMetadata",
        "ivschat": "DeleteMessage",
        "kinesis": "PutRecord PutRecords",
        "lex-models": "PutBot PutBotAlias PutIntent PutSlotType",
        "lex-runtime": "PutSession",
        "lexv2-runtime": "PutSession",
        "logs": "PutIntegration PutLogEvents",
        "personalize-events": "PutActionInteractions PutEvents",
        "pinpoint": "PutEvents",
        "qbusiness": "PutFeedback",
        "qconnect": "PutFeedback",
        "rekognition": "PutProjectPolicy",
        "resiliencehubv2": "PutTestSources",
        "rum": "PutRumEvents",
        "sagemaker-featurestore-runtime": "PutRecord",
        "schemas": "PutCodeBinding",
        "sesv2": "PutAccountDetails",
        "signer": "PutSigningProfile",
        "ssm": "PutResourcePolicy",
        "taxsettings": "PutTaxExemption PutTaxRegistration",
        "wellarchitected": "PutAgentRecommendationFeedback",
        "workmail": "PutRetentionPolicy",
        "xray": "PutTelemetryRecords PutTraceSegments",
    }
)

# Attach, detach and others that leave the same and do not fail when called again. Most attachments
# are not here: EC2's fail the second time.
MORE_REPEATED = _named(
    {
        "autoscaling": "AttachLoadBalancerTargetGroups AttachLoadBalancers AttachTrafficSources",
        "ec2": "AssociateAddress DisassociateAddress TerminateInstances",
        "elbv2": "DeregisterTargets RegisterTargets",
        "events": "RemovePermission RemoveTargets",
        "iam": (
            "AttachGroupPolicy AttachRolePolicy AttachUserPolicy DetachGroupPolicy"
            " DetachRolePolicy DetachUserPolicy RemoveRoleFromInstanceProfile"
            " RemoveUserFromGroup UpdateAssumeRolePolicy"
        ),
        "iot": (
            "AttachPolicy AttachPrincipalPolicy AttachSecurityProfile AttachThingPrincipal"
            " DetachPolicy DetachPrincipalPolicy DetachSecurityProfile DetachThingPrincipal"
        ),
        "lambda": "RemovePermission",
        "sns": "Unsubscribe",
    }
)


# Setters under another name: each puts what it is given, and a second call finds that it is so.
# Each with what the service's model says of it, which a test compares.
SETTERS = {
    "iam.UpdateAccessKey": "The status you want to assign to the secret access key.",
    "ses.VerifyDomainDkim": (
        "the domain that you specify is added to the list of identities that are associated with"
        " your account."
    ),
    "ses.VerifyDomainIdentity": (
        "Adds a domain to the list of identities for your Amazon SES account in the current Amazon"
        " Web Services Region and attempts to verify it."
    ),
}


def _only_sets_options(asked: Mapping[str, Any]) -> bool:
    """Tell whether a call leaves the way of validation as it is, which can be changed one way."""
    try:
        return {*asked["Options"]} <= {"CertificateTransparencyLoggingPreference", "Export"}
    except (KeyError, TypeError):  # boto3 will say what is wrong with it
        return False


def _only_upserts(asked: Mapping[str, Any]) -> bool:
    try:
        return all(change["Action"] == "UPSERT" for change in asked["ChangeBatch"]["Changes"])
    except (KeyError, TypeError):  # boto3 will say what is wrong with it
        return False


# Repeated where the call itself says that it overwrites.
REPEATED_WHERE: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    # "Use to update the options for your certificate."
    "acm.UpdateCertificateOptions": _only_sets_options,
    "route53.ChangeResourceRecordSets": _only_upserts,
    "ssm.PutParameter": lambda asked: asked.get("Overwrite") is True,
}

# Members that make a second call fail where the first one succeeded.
CONDITIONS = frozenset(
    {
        "ConditionExpression",
        "Expected",
        "IfNoneMatch",
        "PolicyExistsCondition",
        "WriteOffsetBytes",
        "policyExistenceCondition",
    }
)

# What a service says of a thing that is not there, as a whole word at either end of the code:
# ResourceNotFoundException, InvalidGroup.NotFound, NoSuchEntity, QueueDoesNotExist.
_GONE = re.compile(
    r"(NotFound|DoesNotExist|NotExists?)(Exception|Fault|Error)?$"
    r"|^(NoSuch|WAFNonexistent)[A-Z]|NonExistentQueue$"
    r"|^(Gone|UnknownResource|UnknownMonitor|UnknownSubscription|UnknownTopicOrPartition)(Exception|Fault)$|^(404|410)$"
)
# What is missing there is what the thing needs, not the thing.
_NEEDED = re.compile(r"^(KMS|Kms|EncryptionKey|ServiceLinkedRole|ParentCommit)")
# Codes that stand for much else; the message tells.
_GONE_BY_MESSAGE = frozenset({"autoscaling.ValidationError"})
# Operations that make something of other things: that one of these is missing is a failure.
_MAKES = re.compile(r"(Create|Run|Request|Allocate|Import|Copy|Restore)(?=[A-Z0-9]|$)")
_REMOVES = re.compile(
    r"(Delete|Remove|Detach|Deregister|Disassociate|Terminate|Unsubscribe|Untag)(?=[A-Z0-9]|$)"
)


def is_read(service: str, operation: str) -> bool:
    """Tell whether an operation changes nothing."""
    name = f"{service}.{operation}"
    return name in MORE_READS or (name not in NOT_READS and bool(_READS.match(operation)))


def repetition_of(
    service: str, operation: str, asked: Mapping[str, Any], *, takes_token: bool = False
) -> Repetition:
    """Return what a second call of an operation may do.

    Args:
        service: As for `boto3.client`.
        operation: As the service names it.
        asked: The members that the call is given.
        takes_token: A member of its input takes a token.
    """
    if is_read(service, operation):
        return Repetition.READ
    if takes_token:
        return Repetition.TOKEN
    if _is_idempotent(service, operation, asked):
        return Repetition.AT_WILL
    return Repetition.ONCE


def _is_idempotent(service: str, operation: str, asked: Mapping[str, Any]) -> bool:
    name = f"{service}.{operation}"
    if name in REPEATED_WHERE:
        return REPEATED_WHERE[name](asked)
    by_name = _REPEATED.match(operation) is not None and name not in NOT_REPEATED
    return (by_name or name in MORE_REPEATED or name in SETTERS) and not CONDITIONS.intersection(
        asked
    )


def window_of(service: str, operation: str) -> float:
    """Return the seconds for which a service remembers a token."""
    return WINDOWS.get(f"{service}.{operation}", WINDOWS.get(service, DEFAULT_WINDOW))


def removes(operation: str) -> bool:
    """Tell whether an operation takes away what is there: made twice, it finds nothing."""
    return _REMOVES.match(operation) is not None


def is_gone(service: str, operation: str, code: str, message: str = "") -> bool:
    """Tell whether an error says that what was to be changed or removed is not there."""
    if _MAKES.match(operation) or _NEEDED.match(code):
        return False
    by_message = f"{service}.{code}" in _GONE_BY_MESSAGE and "not found" in message
    return by_message or _GONE.search(code) is not None
