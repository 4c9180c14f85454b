"""What a script is told, compared with what SageMaker's training toolkit tells it.

TOOLKIT is what sagemaker-training 5.1.4 makes of the configuration that the test writes, with
SAGEMAKER_BASE_DIR at /base; but for the number of processors, and SM_TRAINING_ENV, which repeats
the rest.
"""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.training.environment import script_variables
from sagemaker_tensorflow.training.hyperparameters import encoded, of_container
from sagemaker_tensorflow.training.job_directory import MlDirectory
from sagemaker_tensorflow.training.resources import Resources
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput

VALUES = {
    "epochs": 2,
    "lr": 0.1,
    "name": "a b",
    "x": None,
    "m": {"b": 1, "a": [1, 2]},
    "flag": True,
    "sagemaker_mpi_enabled": False,
}
GROUP = '{"hosts":["algo-1"],"instance_group_name":"homogeneousCluster","instance_type":"local"}'
CHANNEL = (
    '{"RecordWrapperType":"None","S3DistributionType":"FullyReplicated","TrainingInputMode":"File"}'
)
TOOLKIT = {
    "SM_HOSTS": '["algo-1"]',
    "SM_NETWORK_INTERFACE_NAME": "lo",
    "SM_HPS": '{"epochs":2,"flag":true,"lr":0.1,"m":{"a":[1,2],"b":1},"name":"a b","x":null}',
    "SM_USER_ENTRY_POINT": "train.py",
    "SM_FRAMEWORK_PARAMS": '{"sagemaker_mpi_enabled":false}',
    "SM_RESOURCE_CONFIG": '{"current_group_name":"homogeneousCluster","current_host":"algo-1",'
    '"current_instance_type":"local","hosts":["algo-1"],"instance_groups":['
    + GROUP
    + '],"network_interface_name":"lo"}',
    "SM_INPUT_DATA_CONFIG": '{"dev.x":' + CHANNEL + "}",
    "SM_OUTPUT_DATA_DIR": "/base/output/data",
    "SM_CHANNELS": '["dev.x"]',
    "SM_CURRENT_HOST": "algo-1",
    "SM_CURRENT_INSTANCE_TYPE": "local",
    "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
    "SM_CURRENT_INSTANCE_GROUP_HOSTS": '["algo-1"]',
    "SM_INSTANCE_GROUPS": '["homogeneousCluster"]',
    "SM_INSTANCE_GROUPS_DICT": '{"homogeneousCluster":' + GROUP + "}",
    "SM_DISTRIBUTION_INSTANCE_GROUPS": "[]",
    "SM_IS_HETERO": "false",
    "SM_MODULE_NAME": "train",
    "SM_LOG_LEVEL": "20",
    "SM_FRAMEWORK_MODULE": "",
    "SM_INPUT_DIR": "/base/input",
    "SM_INPUT_CONFIG_DIR": "/base/input/config",
    "SM_OUTPUT_DIR": "/base/output",
    "SM_NUM_GPUS": "0",
    "SM_NUM_NEURONS": "0",
    "SM_MODEL_DIR": "/base/model",
    "SM_MODULE_DIR": "/base/code",
    "SM_USER_ARGS": '["--epochs","2","--flag","True","--lr","0.1","-m","a=[1, 2],b=1",'
    '"--name","a b","-x",""]',
    "SM_OUTPUT_INTERMEDIATE_DIR": "/base/output/intermediate",
    "SM_CHANNEL_DEV.X": "/base/input/data/dev.x",
    "SM_HP_EPOCHS": "2",
    "SM_HP_LR": "0.1",
    "SM_HP_NAME": "a b",
    "SM_HP_X": "",
    "SM_HP_M": '{"a":[1,2],"b":1}',
    "SM_HP_FLAG": "true",
}


def test_variables_are_the_toolkits(tmp_path: Path) -> None:
    ml = MlDirectory(tmp_path)
    ml.make()
    channel = Channel("dev.x", TrainingInput(str(tmp_path)))
    hyperparameters = {
        **encoded(VALUES),
        **of_container("job", "train.py", str(ml.code), "us-east-1"),
    }
    ml.write_config(TrainingSpec("train.py", "job", (channel,)), hyperparameters, Resources())
    told = script_variables("job", ml, Resources(), "train.py", hyperparameters)
    everything = json.loads(told.pop("SM_TRAINING_ENV"))
    assert told.pop("SM_NUM_CPUS") == str(multiprocessing.cpu_count())
    assert {name: value.replace(str(tmp_path), "/base") for name, value in told.items()} == TOOLKIT
    assert everything["hyperparameters"] == {
        name: value for name, value in VALUES.items() if name != "sagemaker_mpi_enabled"
    }
    assert everything["job_name"] == "job"
    assert everything["channel_input_dirs"] == {"dev.x": f"{tmp_path}/input/data/dev.x"}
